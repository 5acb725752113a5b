// Objects on an S3 server: MinIO, AWS, another system like this one. It answers as the folder store does.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
import { Readable } from "node:stream";
import { AppError } from "@mlsec/contracts";
import { byteOrder } from "./listing.ts";
import type { ListOptions, ObjectInfo, ObjectList, ObjectStore, PutOptions, StoredObject } from "./object-store.ts";
import { BucketList, CopyResult, ObjectPage, readXml } from "./s3-answer.ts";
import { createCaller, pathOf, type S3Answer, type S3Caller, type S3Settings } from "./s3-call.ts";
import { spool } from "./spool.ts";

export interface S3StoreOptions extends S3Settings {
  /** Where content of unknown length waits until it is whole. */
  readonly spoolDir: string;
}
type Names = { readonly bucket: string; readonly key: string };

const bucketRule = /^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/;
const userPrefix = "x-amz-meta-";
/** Our SHA-256 among the caller's metadata: S3's own checksums are not kept by every server. */
const digestName = "mlsec-sha256";
const plainType = "application/octet-stream";

/** `etag` of PutOptions is not followed: the server makes its own. An object is at most what one PUT may hold, 5 GiB on AWS. */
export function createS3Store({ spoolDir, ...settings }: S3StoreOptions): ObjectStore {
  const call = createCaller(settings);
  const head = (bucket: string, key: string) => headObject(call, names(bucket, key));
  return {
    async put(bucket, key, content, options = {}) {
      const place = names(bucket, key);
      const described = describe(options);
      const body = await spool(content, spoolDir, options);
      try {
        const headers = { ...headersOf(described, body.sha256), "content-md5": body.md5 };
        const { signal } = options;
        const answer = await call({ method: "PUT", ...place, headers, body, ...(signal ? { signal } : {}) });
        await answer.text();
        const { size, sha256 } = body;
        const modified = dateOf(answer.header("date"));
        return { key, size, sha256, etag: bare(answer.header("etag") ?? ""), modified, ...described };
      } finally {
        await body.drop();
      }
    },
    get: (bucket, key, options = {}) => getObject(call, names(bucket, key), options.range),
    head,
    list: (bucket, options = {}) => list(call, named(bucket), options),
    async delete(bucket, key) {
      if (!(await head(bucket, key))) return false;
      await (await call({ method: "DELETE", bucket, key })).text();
      return true;
    },
    copy: (from, to, options = {}) =>
      copyObject(call, { from: names(from.bucket, from.key), to: names(to.bucket, to.key), options }),
    async createBucket(bucket) {
      // Asked first: keys that may not make buckets may still use one.
      if (await hasBucket(call, named(bucket))) return;
      await call({ method: "PUT", bucket }).then(
        (answer) => answer.text(),
        (error: unknown) => {
          if (!(error instanceof AppError) || error.details["s3"] !== "BucketAlreadyOwnedByYou") throw error;
        },
      );
    },
    async deleteBucket(bucket) {
      await (await call({ method: "DELETE", bucket: named(bucket) })).text();
    },
    async buckets() {
      const { Buckets } = readXml(await (await call({ method: "GET" })).text(), "ListAllMyBucketsResult", BucketList);
      return Buckets.Bucket.map(({ Name, CreationDate }) => ({ name: Name, created: dateOf(CreationDate) }));
    },
  };
}

function named(bucket: string): string {
  if (bucketRule.test(bucket) && !bucket.includes("..")) return bucket;
  throw new AppError("INVALID_INPUT", `${JSON.stringify(bucket.slice(0, 80))} is not a bucket name`);
}

function names(bucket: string, key: string): Names {
  const bytes = Buffer.byteLength(key);
  if (bytes < 1 || bytes > 1024 || !key.isWellFormed())
    throw new AppError("INVALID_INPUT", `a key has 1 to 1024 bytes of UTF-8, this one ${bytes}`);
  return { bucket: named(bucket), key };
}

interface Described {
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

function describe({ contentType = plainType, metadata = {} }: PutOptions): Described {
  const isPlain = (value: string): boolean => /^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(value);
  const wrong = Object.entries(metadata).find(([name, value]) => !/^[a-z\d._-]+$/i.test(name) || !isPlain(value));
  if (wrong || !isPlain(contentType))
    throw new AppError(
      "INVALID_INPUT",
      `${JSON.stringify(wrong?.[0] ?? "content-type")}: an S3 server keeps names and values of printable ASCII only`,
    );
  return { contentType, metadata };
}

const headersOf = ({ contentType, metadata }: Described, sha256: string): Record<string, string> => ({
  "content-type": contentType,
  ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [userPrefix + name, value])),
  ...(sha256 === "" ? {} : { [userPrefix + digestName]: sha256 }),
});

const bare = (etag: string): string => etag.replace(/^W\//, "").replaceAll('"', "");

function dateOf(text: string | undefined): Date {
  const date = new Date(text ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? new Date() : date;
}

async function hasBucket(call: S3Caller, bucket: string): Promise<boolean> {
  try {
    await (await call({ method: "HEAD", bucket })).text();
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === "NOT_FOUND") return false;
    throw error;
  }
}

async function headObject(call: S3Caller, place: Names): Promise<ObjectInfo | undefined> {
  try {
    const answer = await call({ method: "HEAD", ...place });
    await answer.text();
    return infoOf(answer, place.key);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "OBJECT_NOT_FOUND") throw error;
    // An answer to HEAD has no body that says which of both is missing.
    if (await hasBucket(call, place.bucket)) return undefined;
    throw new AppError("NOT_FOUND", `there is no bucket ${place.bucket}`, {}, { cause: error });
  }
}

function infoOf(answer: S3Answer, key: string): ObjectInfo {
  const range = contentRange(answer);
  const sha256 = answer.header(userPrefix + digestName) ?? "";
  const metadata: Record<string, string> = {};
  for (const name of answer.names())
    if (name.startsWith(userPrefix) && name !== userPrefix + digestName)
      metadata[name.slice(userPrefix.length)] = answer.header(name) ?? "";
  return {
    key,
    size: range?.size ?? Number(answer.header("content-length") ?? 0),
    sha256: /^[\da-f]{64}$/.test(sha256) ? sha256 : "",
    etag: bare(answer.header("etag") ?? ""),
    contentType: answer.header("content-type") ?? plainType,
    modified: dateOf(answer.header("last-modified")),
    metadata,
  };
}

function contentRange(answer: S3Answer): { start: number; end: number; size: number } | undefined {
  const [, start, end, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.header("content-range") ?? "") ?? [];
  return start === undefined ? undefined : { start: Number(start), end: Number(end), size: Number(size) };
}

async function getObject(call: S3Caller, place: Names, asked?: { start: number; end?: number }): Promise<StoredObject> {
  if (asked && (asked.start < 0 || asked.start > (asked.end ?? asked.start)))
    throw new AppError("RANGE", `expected a first byte before the last one, got ${asked.start} to ${asked.end}`);
  const headers = asked ? { range: `bytes=${asked.start}-${asked.end ?? ""}` } : {};
  const answer = await call({ method: "GET", ...place, headers });
  const served = contentRange(answer);
  if (asked && (!served || served.start !== asked.start)) {
    answer.stream.destroy();
    throw new AppError("UPSTREAM", "the S3 server sent other bytes than the range that was asked for");
  }
  const content = Readable.from(answer.stream);
  // Also when nobody began to read it.
  content.once("close", () => answer.stream.destroy());
  return {
    ...infoOf(answer, place.key),
    stream: Readable.toWeb(content) as ReadableStream<Uint8Array>,
    ...(asked && served ? { range: { start: served.start, end: served.end } } : {}),
  };
}

interface Copy {
  readonly from: Names;
  readonly to: Names;
  readonly options: Pick<PutOptions, "contentType" | "metadata">;
}

/** Always replaces the metadata: so a copy onto itself is allowed, and the digest goes along. */
async function copyObject(call: S3Caller, { from, to, options }: Copy): Promise<ObjectInfo> {
  const source = await headObject(call, from);
  if (!source) throw new AppError("OBJECT_NOT_FOUND", `there is no s3://${from.bucket}/${from.key.slice(0, 200)}`);
  const described = describe({ contentType: source.contentType, metadata: source.metadata, ...options });
  const headers = {
    ...headersOf(described, source.sha256),
    "x-amz-copy-source": pathOf(from.bucket, from.key),
    "x-amz-copy-source-if-match": `"${source.etag}"`,
    "x-amz-metadata-directive": "REPLACE",
  };
  const answer = await call({ method: "PUT", ...to, headers });
  // A copy that fails late is a 200 with an error in it.
  const { ETag, LastModified } = readXml(await answer.text(), "CopyObjectResult", CopyResult);
  const { size, sha256 } = source;
  return { key: to.key, size, sha256, etag: bare(ETag), modified: dateOf(LastModified), ...described };
}

/** Sorts after every key that a prefix has. */
const last = "\u{10ffff}";

async function list(call: S3Caller, bucket: string, options: ListOptions): Promise<ObjectList> {
  const { prefix = "", cursor, limit = 1000, delimiter } = options;
  const query = {
    "list-type": "2",
    "encoding-type": "url",
    "max-keys": String(Math.min(limit, 1000)),
    ...(prefix === "" ? {} : { prefix }),
    ...(delimiter ? { delimiter } : {}),
  };
  let from: Record<string, string> = cursor === undefined ? {} : { "start-after": cursor };
  for (;;) {
    const answer = await call({ method: "GET", bucket, query: { ...query, ...from } });
    const page = readXml(await answer.text(), "ListBucketResult", ObjectPage);
    const shown = (key: string): string => (page.EncodingType === "url" ? decodeKey(key) : key);
    const objects = page.Contents.map((entry) => listed(entry, shown));
    const prefixes = page.CommonPrefixes.map((entry) => shown(entry.Prefix));
    const end = [...objects.map(({ key }) => key), ...prefixes.map((folded) => folded + last)].sort(byteOrder).at(-1);
    if (page.IsTruncated !== "true") return { objects, prefixes };
    if (end !== undefined) return { objects, prefixes, nextCursor: end };
    // Servers may send pages on which nothing is left to show.
    if (page.NextContinuationToken === undefined)
      throw new AppError("UPSTREAM", "the S3 server sent a list that goes on, but not from where");
    from = { "continuation-token": page.NextContinuationToken };
  }
}

/** A list tells neither digest nor type. */
const listed = (
  { Key, LastModified, ETag, Size }: { Key: string; LastModified: string; ETag: string; Size: string },
  shown: (key: string) => string,
): ObjectInfo => ({
  key: shown(Key),
  size: Number(Size),
  sha256: "",
  etag: bare(ETag),
  contentType: plainType,
  modified: dateOf(LastModified),
  metadata: {},
});

function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (cause) {
    throw new AppError("UPSTREAM", "the S3 server listed a key that is not UTF-8", {}, { cause });
  }
}
