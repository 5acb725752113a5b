// Objects: read, written, copied, deleted.
import type { ObjectInfo } from "../../platform/storage/object-store.ts";
import { uploadBody, uploadText } from "./body.ts";
import { type Call, quoted, readCopySource, xmlResponse } from "./call.ts";
import { checkConditions, checkWrite, parseRange } from "./conditions.ts";
import { s3CodeOf, s3Error } from "./s3-error.ts";
import { children, element, group, parseXml, textOf, xmlDocument } from "./xml.ts";

const userPrefix = "x-amz-meta-";
/** Standard headers that S3 gives back as they were sent; kept beside the caller's own metadata under a name it cannot have. */
const kept = ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"] as const;
const overridable = [...kept, "content-type"] as const;

/** What the request says about the object it writes. */
export function describeUpload(headers: Headers): { contentType: string; metadata: Record<string, string> } {
  const metadata: Record<string, string> = {};
  for (const [name, value] of headers) if (name.startsWith(userPrefix)) metadata[name.slice(userPrefix.length)] = value;
  for (const name of kept) {
    const value = headers.get(name);
    // `aws-chunked` names how the body travelled, not what it is.
    const own = name === "content-encoding" ? value?.replace(/\baws-chunked\b,?\s*/i, "").trim() : value;
    if (own) metadata[`@${name}`] = own;
  }
  return { contentType: headers.get("content-type") ?? "binary/octet-stream", metadata };
}

function objectHeaders(info: ObjectInfo, { query, request }: Call): Headers {
  const headers = new Headers({
    etag: quoted(info.etag),
    "last-modified": info.modified.toUTCString(),
    "accept-ranges": "bytes",
    "content-type": info.contentType,
    // Stored files are never run as pages of this origin.
    "content-security-policy": "default-src 'none'; sandbox",
  });
  for (const [name, value] of Object.entries(info.metadata))
    headers.set(name.startsWith("@") ? name.slice(1) : userPrefix + name, value);
  for (const name of overridable) {
    const override = query.get(`response-${name}`);
    if (!override) continue;
    if (!/^[\t\x20-\x7e\x80-\xff]+$/.test(override))
      throw s3Error("InvalidArgument", `response-${name}: expected the value of a header`);
    headers.set(name, override);
  }
  if (request.headers.get("x-amz-checksum-mode")?.toUpperCase() === "ENABLED" && !request.headers.has("range"))
    headers.set("x-amz-checksum-sha256", Buffer.from(info.sha256, "hex").toString("base64"));
  return headers;
}

async function found({ store, bucket, key }: Pick<Call, "store" | "bucket" | "key">): Promise<ObjectInfo> {
  const info = await store.head(bucket, key);
  if (!info) throw s3Error("NoSuchKey", "there is no such key");
  return info;
}

/** GET and HEAD. */
export async function readObject(call: Call): Promise<Response> {
  const { request, store, bucket, key } = call;
  const info = await found(call);
  const headers = objectHeaders(info, call);
  if (!checkConditions(request.headers, info).modified) {
    // There is no body that it could be the checksum of; boto3 would look for one.
    headers.delete("x-amz-checksum-sha256");
    return new Response(null, { status: 304, headers });
  }
  const ifRange = request.headers.get("if-range");
  const applies = ifRange === null || ifRange === quoted(info.etag) || ifRange === info.modified.toUTCString();
  const range = applies ? parseRange(request.headers.get("range"), info.size) : undefined;
  headers.set("content-length", String(range ? range.end - range.start + 1 : info.size));
  if (range) headers.set("content-range", `bytes ${range.start}-${range.end}/${info.size}`);
  const status = range ? 206 : 200;
  if (call.method === "HEAD") return new Response(null, { status, headers });
  const object = await store.get(bucket, key, range ? { range } : {});
  // Replaced since it was looked at: what is sent is described as it is.
  if (object.etag === info.etag) return new Response(object.stream, { status, headers });
  await object.stream.cancel();
  return readObject(call);
}

export async function putObject(call: Call): Promise<Response> {
  const { request, store, bucket, key, seed } = call;
  const source = request.headers.get("x-amz-copy-source");
  if (source !== null) return copyObject(call, source);
  checkWrite(request.headers, await store.head(bucket, key));
  const info = await store.put(bucket, key, uploadBody(request, seed), describeUpload(request.headers));
  return new Response(null, { status: 200, headers: { etag: quoted(info.etag), ...sentChecksums(request.headers) } });
}

/** Checksums that were verified are given back, as S3 does. */
export function sentChecksums(headers: Headers): Record<string, string> {
  const sent = [...headers].filter(([name]) => /^x-amz-checksum-(crc|sha)/.test(name));
  return Object.fromEntries(sent);
}

/** Conditions on the source of a copy, under the names that `checkConditions` reads. */
export function sourceConditions(headers: Headers): Headers {
  const prefix = "x-amz-copy-source-if-";
  const pairs = [...headers].filter(([name]) => name.startsWith(prefix));
  return new Headers(pairs.map(([name, value]) => [`if-${name.slice(prefix.length)}`, value]));
}

async function copyObject({ request, store, bucket, key }: Call, header: string): Promise<Response> {
  const from = readCopySource(header);
  const source = await found({ store, ...from });
  if (!checkConditions(sourceConditions(request.headers), source).modified)
    throw s3Error("PreconditionFailed", "the source has not changed since");
  const replaces = request.headers.get("x-amz-metadata-directive")?.toUpperCase() === "REPLACE";
  if (!replaces && from.bucket === bucket && from.key === key)
    throw s3Error("InvalidRequest", "a copy onto itself must replace the metadata");
  const info = await store.copy(from, { bucket, key }, replaces ? describeUpload(request.headers) : {});
  return xmlResponse(
    xmlDocument(
      "CopyObjectResult",
      element("LastModified", info.modified.toISOString()) + element("ETag", quoted(info.etag)),
    ),
  );
}

/** Deleting what is not there is no error in S3. */
export async function deleteObject({ store, bucket, key }: Call): Promise<Response> {
  await store.delete(bucket, key);
  return new Response(null, { status: 204 });
}

export async function deleteObjects({ request, store, bucket, seed }: Call): Promise<Response> {
  const tree = parseXml(await uploadText(request, seed), "Delete");
  const keys = (tree ? children(tree, "Object") : []).map((object) => textOf(object, "Key") ?? "");
  if (!tree || keys.length === 0 || keys.length > 1000 || keys.includes(""))
    throw s3Error("MalformedXML", "expected <Delete> with 1 to 1,000 <Object><Key>");
  const isQuiet = textOf(tree, "Quiet")?.trim() === "true";
  const results: string[] = [];
  for (const key of keys) {
    try {
      await store.delete(bucket, key);
      if (!isQuiet) results.push(group("Deleted", element("Key", key)));
    } catch (error) {
      const code = s3CodeOf(error);
      if (code === "NoSuchBucket") throw error;
      results.push(group("Error", element("Key", key) + element("Code", code) + element("Message", "not deleted")));
    }
  }
  return xmlResponse(xmlDocument("DeleteResult", results.join("")));
}
