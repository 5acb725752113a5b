// Uploads: a multipart file, raw JSONL or CSV, or {rows}. Bytes go to the store as they arrive and are checked from there,
// so the size of a file never matters to the memory.
import { createHash, type Hash } from "node:crypto";
import { Readable } from "node:stream";
import { Busboy, type BusboyFileStream, type BusboyHeaders } from "@fastify/busboy";
import { AppError, type QualityReport, training as contract } from "@mlsec/contracts";
import { readJson } from "../../../platform/http/body.ts";
import { validate } from "../../../platform/http/validate.ts";
import type { Content, ObjectStore } from "../../../platform/storage/object-store.ts";
import { groupsOf } from "./groups.ts";
import { createInspector } from "./quality.ts";
import { type Format, formatOf, readRows } from "./rows.ts";
import type { DataSetRow, DataStore, NewDataSet } from "./store.ts";

export interface UploadParts {
  readonly storage: ObjectStore;
  readonly data: DataStore;
  readonly bucket: string;
  readonly maxJsonBytes: number;
  readonly clock: () => Date;
}
interface Incoming {
  readonly name: string;
  readonly format: Format;
  readonly content: AsyncIterable<Uint8Array>;
}
interface Stored {
  readonly uri: string;
  readonly key: string;
  readonly sha256: string;
  readonly size: number;
}

/** Stores and checks one upload. DIGEST_MISMATCH and STORAGE_FULL leave nothing behind. */
export async function upload(
  parts: UploadParts,
  request: Request,
  asked: { name?: string | undefined; principal: string },
): Promise<DataSetRow> {
  const fileId = crypto.randomUUID();
  const wanted = digestsOf(request.headers.get("content-digest"));
  const { incoming, stored } = await receive(request, parts.maxJsonBytes, (file) => store(parts, fileId, file, wanted));
  const quality = await inspectObject(parts.storage, parts.bucket, stored.key, incoming.format);
  const twin = await parts.data.sameContent(stored.sha256);
  const row: NewDataSet = {
    file_id: fileId,
    name: (asked.name ?? incoming.name).slice(0, 200),
    uri: stored.uri,
    state: !quality.passed ? "uploaded" : twin ? "validated" : "fresh",
    rows: quality.rows,
    size_bytes: stored.size,
    sha256: stored.sha256,
    quality,
    duplicate_of: twin?.file_id ?? null,
    principal: asked.principal,
    created_at: parts.clock(),
  };
  await parts.data.addDataSet(row);
  return { ...row, used_by_jobs: [] };
}

type Keep = (incoming: Incoming) => Promise<Stored>;
type Received = { incoming: Incoming; stored: Stored };

async function receive(request: Request, maxJsonBytes: number, keep: Keep): Promise<Received> {
  const type = (request.headers.get("content-type") ?? "").toLowerCase().split(";")[0]?.trim() ?? "";
  if (type === "multipart/form-data") return receiveMultipart(request, keep);
  if (type === "application/json") {
    const body = validate(contract.uploadData.body, await readJson(request, maxJsonBytes), "body") as {
      name?: string;
      rows: object[];
    };
    const lines = `${body.rows.map((row) => JSON.stringify(row)).join("\n")}\n`;
    const incoming: Incoming = { name: body.name ?? "rows.jsonl", format: "jsonl", content: once(Buffer.from(lines)) };
    return { incoming, stored: await keep(incoming) };
  }
  const format = rawFormats[type];
  if (format === undefined)
    throw new AppError(
      "MEDIA_TYPE",
      `expected multipart/form-data, ${Object.keys(rawFormats).join(", ")} or application/json, got ${JSON.stringify(type.slice(0, 100))}`,
    );
  if (!request.body) throw new AppError("INVALID_INPUT", "the body is empty");
  const incoming: Incoming = { name: `upload.${format}`, format, content: request.body };
  return { incoming, stored: await keep(incoming) };
}
const rawFormats: Readonly<Record<string, Format>> = {
  "application/x-ndjson": "jsonl",
  "application/jsonl": "jsonl",
  "application/octet-stream": "jsonl",
  "text/plain": "jsonl",
  "text/csv": "csv",
};

/** The first file of the form; a second one is refused, other fields are passed over. */
async function receiveMultipart(request: Request, keep: Keep): Promise<Received> {
  if (!request.body) throw new AppError("INVALID_INPUT", "the body is empty");
  const parser = multipartParser(request);
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  let keeping: Promise<void> | undefined;
  let file: BusboyFileStream | undefined;
  const refuse = (cause: unknown): void => {
    reject(cause instanceof AppError ? cause : new AppError("INVALID_INPUT", "the form cannot be read", {}, { cause }));
  };
  parser.on("file", (_field: string, stream: BusboyFileStream, name: string) => {
    if (keeping) {
      stream.resume();
      return refuse(new AppError("INVALID_INPUT", "one file per upload"));
    }
    file = stream;
    const incoming: Incoming = { name: name || "upload.jsonl", format: formatOf(name ?? ""), content: stream };
    keeping = keep(incoming).then(
      (stored) => resolve({ incoming, stored }),
      (error: unknown) => {
        stream.resume();
        refuse(error);
      },
    );
  });
  parser.once("error", refuse);
  parser.once("finish", () => {
    if (!keeping) refuse(new AppError("INVALID_INPUT", "the form holds no file"));
  });
  const body = Readable.from(request.body);
  body.once("error", (error) => {
    parser.destroy(error);
    file?.destroy(error);
    refuse(error);
  });
  body.pipe(parser);
  return promise;
}

function multipartParser(request: Request): InstanceType<typeof Busboy> {
  const headers = { "content-type": request.headers.get("content-type") ?? "" } satisfies BusboyHeaders;
  try {
    return new Busboy({ headers, limits: { files: 2, fields: 20, fieldSize: 10_000 } });
  } catch (cause) {
    throw new AppError("INVALID_INPUT", "the form has no boundary", {}, { cause });
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Streams into the store while hashing. */
async function store(
  { storage, bucket }: UploadParts,
  fileId: string,
  { format, content }: Incoming,
  wanted: readonly Digest[],
): Promise<Stored> {
  const key = `training_data/uploads/${fileId}.${format}`;
  const sha256 = createHash("sha256");
  const others = wanted.map((digest) => ({ ...digest, hash: createHash(digest.algorithm) }));
  let size = 0;
  const tapped = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      sha256.update(chunk);
      for (const { hash } of others) hash.update(chunk);
      size += chunk.byteLength;
      yield chunk;
    }
    requireMatch(others);
  };
  await storage.put(bucket, key, tapped() satisfies Content, {
    contentType: format === "csv" ? "text/csv" : "application/x-ndjson",
  });
  return { uri: `s3://${bucket}/${key}`, key, sha256: sha256.digest("hex"), size };
}

interface Digest {
  readonly algorithm: "sha256" | "sha512";
  readonly base64: string;
}

/** RFC 9530: `sha-256=:base64:`; algorithms we do not know are passed over, as it asks. */
function digestsOf(header: string | null): Digest[] {
  if (header === null) return [];
  return header.split(",").flatMap((member): Digest[] => {
    const [, name, base64 = ""] = /^\s*([\w-]+)\s*=\s*:([\w+/=]*):\s*$/.exec(member) ?? [];
    if (name === undefined) throw new AppError("INVALID_INPUT", "Content-Digest: expected sha-256=:base64:");
    if (name === "sha-256") return [{ algorithm: "sha256", base64 }];
    return name === "sha-512" ? [{ algorithm: "sha512", base64 }] : [];
  });
}

/** Thrown while the bytes are still on their way, so that the store keeps nothing. */
function requireMatch(digests: readonly (Digest & { hash: Hash })[]): void {
  for (const { algorithm, base64, hash } of digests) {
    const found = hash.digest("base64");
    if (found !== base64)
      throw new AppError(
        "DIGEST_MISMATCH",
        `Content-Digest: the ${algorithm} of what arrived is ${found}, not ${base64.slice(0, 100)}`,
      );
  }
}

/** The quality report of a stored file. */
export async function inspectObject(
  storage: ObjectStore,
  bucket: string,
  key: string,
  format: Format,
): Promise<QualityReport> {
  const { stream } = await storage.get(bucket, key);
  return inspectStream(stream, format);
}

export async function inspectStream(stream: AsyncIterable<Uint8Array>, format: Format): Promise<QualityReport> {
  const inspector = createInspector();
  let broken: AppError | undefined;
  try {
    for await (const read of readRows(stream, format)) inspector.add(read);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "DATA_INVALID") throw error;
    broken = error;
  }
  const report = inspector.report(await groupsOf(inspector.texts));
  return broken ? { ...report, passed: false, errors: [{ message: broken.message }, ...report.errors] } : report;
}
