// What an S3 server says: its XML, and its refusals as errors of ours.
import { AppError, type Code } from "@mlsec/contracts";
import { XMLParser } from "fast-xml-parser";
import * as z from "zod";

const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: true,
  htmlEntities: false,
  isArray: (name) => name === "Contents" || name === "CommonPrefixes" || name === "Bucket",
});

const text = z.string();
/** An element without children is an empty string to the parser. */
const orEmpty = <S extends z.ZodType>(schema: S) => z.preprocess((value) => (value === "" ? {} : value), schema);

export const BucketList = z.object({
  Buckets: orEmpty(z.object({ Bucket: z.array(z.object({ Name: text, CreationDate: text })).default([]) })),
});
export const ObjectPage = z.object({
  EncodingType: text.optional(),
  IsTruncated: text,
  NextContinuationToken: text.optional(),
  Contents: z
    .array(z.object({ Key: text, LastModified: text, ETag: text.default(""), Size: text.regex(/^\d+$/) }))
    .default([]),
  CommonPrefixes: z.array(z.object({ Prefix: text })).default([]),
});
export const CopyResult = z.object({ ETag: text.default(""), LastModified: text });
const Refusal = z.object({ Code: text, Message: text.default("") });

/** The document of this root, checked. UPSTREAM when the server sent something else. */
export function readXml<S extends z.ZodType>(body: string, root: string, schema: S): z.output<S> {
  const found = schema.safeParse(children(body, root));
  if (found.success) return found.data;
  throw new AppError(
    "UPSTREAM",
    `expected <${root}> from the S3 server, got ${JSON.stringify(body.slice(0, 100))}`,
    {},
    { cause: found.error },
  );
}

function children(body: string, root: string): unknown {
  if (/<!(DOCTYPE|ENTITY)/i.test(body)) return undefined;
  try {
    const found = (parser.parse(body, true) as Record<string, unknown>)[root];
    return found === "" ? {} : found;
  } catch {
    return undefined;
  }
}

export interface Refused {
  readonly endpoint: string;
  readonly status: number;
  readonly body: string;
  readonly bucket: string;
  readonly key: string;
  /** Of Content-Range, when a range could not be served. */
  readonly size?: number;
}

const byCode: Readonly<Record<string, Code>> = {
  NoSuchBucket: "NOT_FOUND",
  NoSuchKey: "OBJECT_NOT_FOUND",
  BucketNotEmpty: "CONFLICT",
  BucketAlreadyExists: "CONFLICT",
  BadDigest: "DIGEST_MISMATCH",
  XAmzContentSHA256Mismatch: "DIGEST_MISMATCH",
  EntityTooLarge: "BODY_TOO_LARGE",
  InvalidBucketName: "INVALID_INPUT",
  KeyTooLongError: "INVALID_INPUT",
  XMinioInvalidObjectName: "INVALID_INPUT",
  XMinioStorageFull: "STORAGE_FULL",
  XMinioAdminBucketQuotaExceeded: "STORAGE_FULL",
};
const byStatus: Readonly<Record<number, Code>> = {
  409: "CONFLICT",
  412: "CONFLICT",
  416: "RANGE",
  429: "UNAVAILABLE",
  500: "UNAVAILABLE",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "UNAVAILABLE",
  507: "STORAGE_FULL",
};

/** UNAVAILABLE marks what may pass by itself. `details.s3` is the server's own code, where it sent one. */
export function refusal({ endpoint, status, body, bucket, key, size }: Refused): AppError {
  const { data } = Refusal.safeParse(children(body, "Error"));
  const s3 = data?.Code ?? "";
  const details = { s3, status };
  if (status === 403)
    return new AppError(
      "UPSTREAM",
      `the S3 server at ${endpoint} refuses us (${s3 || status}); MINIO_ACCESS_KEY and MINIO_SECRET_KEY must be keys of that server that may use the bucket${bucket && ` ${bucket}`}${s3 === "RequestTimeTooSkewed" ? ", and both clocks must agree" : ""}`,
      details,
    );
  const missing: Code = key === "" ? "NOT_FOUND" : "OBJECT_NOT_FOUND";
  const code = byCode[s3] ?? (status === 404 ? missing : byStatus[status]) ?? "UPSTREAM";
  if (code === "NOT_FOUND") return new AppError(code, `there is no bucket ${bucket}`, details);
  if (code === "OBJECT_NOT_FOUND")
    return new AppError(code, `there is no s3://${bucket}/${key.slice(0, 200)}`, details);
  if (code === "RANGE")
    return new AppError(
      code,
      size === undefined ? "the range begins after the object's end" : `the object has ${size} bytes`,
      { ...details, size },
    );
  if (s3 === "BucketNotEmpty") return new AppError(code, `the bucket ${bucket} is not empty`, details);
  if (code === "STORAGE_FULL")
    return new AppError(code, `the S3 server at ${endpoint} is full; nothing was stored`, details);
  const why = [s3, data?.Message.replaceAll(/\s+/g, " ").slice(0, 200)].filter(Boolean).join(": ");
  return new AppError(code, `the S3 server at ${endpoint} answered ${status}${why && ` (${why})`}`, details);
}
