// Multipart uploads: parts wait in a bucket of our own until they are joined into one object or dropped.
import { createHash, randomBytes } from "node:crypto";
import { readAll, type ObjectInfo, type ObjectStore } from "../../platform/storage/object-store.ts";
import * as z from "zod";
import { uploadBody, uploadText } from "./body.ts";
import { requireBucket } from "./buckets.ts";
import { type Call, queryNumber, quoted, readCopySource, xmlResponse } from "./call.ts";
import { checkConditions, checkWrite, parseRange } from "./conditions.ts";
import { describeUpload, sentChecksums, sourceConditions } from "./objects.ts";
import { s3Error } from "./s3-error.ts";
import { children, element, group, parseXml, textOf, xmlDocument } from "./xml.ts";

const parts = ".multipart";
const mostParts = 10_000;
const leastPartBytes = 5 * 2 ** 20;
const Upload = z.object({
  bucket: z.string(),
  key: z.string(),
  contentType: z.string(),
  metadata: z.record(z.string(), z.string()),
  startedAt: z.iso.datetime(),
});
type Upload = z.infer<typeof Upload>;

const partKey = (id: string, number: number): string => `${id}/${String(number).padStart(5, "0")}`;
const partNumber = (key: string): number => Number(key.slice(key.lastIndexOf("/") + 1));

export async function startUpload(call: Call, now: Date): Promise<Response> {
  await requireBucket(call);
  const { bucket, key, store, request } = call;
  const id = randomBytes(24).toString("hex");
  const upload: Upload = { bucket, key, ...describeUpload(request.headers), startedAt: now.toISOString() };
  await store.createBucket(parts);
  await store.put(parts, `${id}/upload`, JSON.stringify(upload), { contentType: "application/json" });
  return xmlResponse(xmlDocument("InitiateMultipartUploadResult", names(call) + element("UploadId", id)));
}

const names = ({ bucket, key }: Pick<Call, "bucket" | "key">): string =>
  element("Bucket", bucket) + element("Key", key);

async function open({ store, bucket, key, query }: Call): Promise<{ id: string; upload: Upload }> {
  const id = query.get("uploadId") ?? "";
  const gone = s3Error("NoSuchUpload", "there is no such upload; it may have been completed or aborted");
  if (!/^[\da-f]{48}$/.test(id) || !(await store.head(parts, `${id}/upload`).catch(() => undefined))) throw gone;
  const upload = Upload.parse(JSON.parse((await readAll(await store.get(parts, `${id}/upload`))).toString("utf8")));
  if (upload.bucket !== bucket || upload.key !== key) throw gone;
  return { id, upload };
}

export async function putPart(call: Call): Promise<Response> {
  const { store, query, request, seed } = call;
  const number = Number(query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > mostParts)
    throw s3Error("InvalidArgument", `partNumber: expected 1 to ${mostParts}`);
  const { id } = await open(call);
  const source = request.headers.get("x-amz-copy-source");
  if (source !== null) return copyPart(call, { source, target: partKey(id, number) });
  const info = await store.put(parts, partKey(id, number), uploadBody(request, seed));
  return new Response(null, { status: 200, headers: { etag: quoted(info.etag), ...sentChecksums(request.headers) } });
}

async function copyPart(
  { store, request }: Call,
  { source, target }: { source: string; target: string },
): Promise<Response> {
  const from = readCopySource(source);
  const info = await store.head(from.bucket, from.key);
  if (!info) throw s3Error("NoSuchKey", "the source of the copy does not exist");
  checkConditions(sourceConditions(request.headers), info);
  const range = parseRange(request.headers.get("x-amz-copy-source-range"), info.size);
  const { stream } = await store.get(from.bucket, from.key, range ? { range } : {});
  const part = await store.put(parts, target, stream);
  const body = element("LastModified", part.modified.toISOString()) + element("ETag", quoted(part.etag));
  return xmlResponse(xmlDocument("CopyPartResult", body));
}

async function storedParts(store: ObjectStore, id: string): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list(parts, { prefix: `${id}/`, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.objects.filter(({ key }) => /\/\d{5}$/.test(key)));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}

export async function completeUpload(call: Call): Promise<Response> {
  const { store, bucket, key, request, seed } = call;
  const { id, upload } = await open(call);
  const tree = parseXml(await uploadText(request, seed), "CompleteMultipartUpload");
  const chosen = choose(tree ? children(tree, "Part") : [], await storedParts(store, id));
  checkWrite(request.headers, await store.head(bucket, key));
  const md5 = createHash("md5");
  for (const { etag } of chosen) md5.update(Buffer.from(etag, "hex"));
  const { contentType, metadata } = upload;
  const etag = `${md5.digest("hex")}-${chosen.length}`;
  await store.put(bucket, key, joined(store, chosen), { contentType, metadata, etag });
  await drop(store, id);
  return xmlResponse(
    xmlDocument(
      "CompleteMultipartUploadResult",
      element("Location", `/${bucket}/${key}`) + names(call) + element("ETag", quoted(etag)),
    ),
  );
}

/** The named parts in their order. InvalidPart, InvalidPartOrder or EntityTooSmall when they cannot be joined. */
function choose(named: readonly Record<string, unknown>[], stored: readonly ObjectInfo[]): ObjectInfo[] {
  if (named.length === 0 || named.length > mostParts) throw s3Error("MalformedXML", "expected 1 to 10,000 <Part>");
  const byNumber = new Map(stored.map((part) => [partNumber(part.key), part]));
  let last = 0;
  return named.map((part, i) => {
    const number = Number(textOf(part, "PartNumber"));
    const found = byNumber.get(number);
    if (!found || textOf(part, "ETag")?.trim().replaceAll('"', "") !== found.etag)
      throw s3Error("InvalidPart", "a part was not uploaded, or has another ETag");
    if (number <= last) throw s3Error("InvalidPartOrder", "parts must be in ascending order");
    last = number;
    if (i < named.length - 1 && found.size < leastPartBytes)
      throw s3Error("EntityTooSmall", "only the last part may be smaller than 5 MiB");
    return found;
  });
}

async function* joined(store: ObjectStore, chosen: readonly ObjectInfo[]): AsyncIterable<Uint8Array> {
  for (const { key } of chosen) yield* (await store.get(parts, key)).stream;
}

/** The upload itself goes last, so that a kill in between leaves something that can still be aborted. */
async function drop(store: ObjectStore, id: string): Promise<void> {
  for (const { key } of await storedParts(store, id)) await store.delete(parts, key);
  await store.delete(parts, `${id}/upload`);
}

export async function abortUpload(call: Call): Promise<Response> {
  const { id } = await open(call);
  await drop(call.store, id);
  return new Response(null, { status: 204 });
}

export async function listParts(call: Call): Promise<Response> {
  const { id } = await open(call);
  const most = queryNumber(call.query, "max-parts", { least: 0, most: 1000, standard: 1000 });
  const after = queryNumber(call.query, "part-number-marker", { least: 0, most: mostParts, standard: 0 });
  const left = (await storedParts(call.store, id)).filter(({ key }) => partNumber(key) > after);
  const page = left.slice(0, most);
  const entries = page.map((part) =>
    group(
      "Part",
      element("PartNumber", partNumber(part.key)) +
        element("LastModified", part.modified.toISOString()) +
        element("ETag", quoted(part.etag)) +
        element("Size", part.size),
    ),
  );
  const last = page.at(-1);
  const head =
    names(call) +
    element("UploadId", id) +
    element("StorageClass", "STANDARD") +
    element("PartNumberMarker", after) +
    element("NextPartNumberMarker", last ? partNumber(last.key) : after) +
    element("MaxParts", most) +
    element("IsTruncated", left.length > page.length);
  return xmlResponse(xmlDocument("ListPartsResult", head + entries.join("")));
}

/** Uploads of a bucket that were begun and not ended. */
export async function listUploads(call: Call): Promise<Response> {
  await requireBucket(call);
  const { store, bucket, query } = call;
  await store.createBucket(parts);
  const entries: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list(parts, { delimiter: "/", ...(cursor === undefined ? {} : { cursor }) });
    for (const prefix of page.prefixes) {
      if (!(await store.head(parts, `${prefix}upload`))) continue;
      const upload = Upload.parse(
        JSON.parse((await readAll(await store.get(parts, `${prefix}upload`))).toString("utf8")),
      );
      if (upload.bucket !== bucket || !upload.key.startsWith(query.get("prefix") ?? "")) continue;
      entries.push(
        group(
          "Upload",
          element("Key", upload.key) +
            element("UploadId", prefix.slice(0, -1)) +
            element("Initiated", upload.startedAt),
        ),
      );
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  const head = element("Bucket", bucket) + element("MaxUploads", 1000) + element("IsTruncated", false);
  return xmlResponse(xmlDocument("ListMultipartUploadsResult", head + entries.join("")));
}
