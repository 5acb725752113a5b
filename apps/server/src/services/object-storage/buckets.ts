// Buckets and their lists.
import type { ObjectInfo, ObjectStore } from "../../platform/storage/object-store.ts";
import { type Call, queryNumber, quoted, xmlResponse } from "./call.ts";
import { s3Error } from "./s3-error.ts";
import { encode } from "./sigv4.ts";
import { element, group, xmlDocument } from "./xml.ts";

const owner = group("Owner", element("ID", "mlsec") + element("DisplayName", "mlsec"));

export async function listBuckets(store: ObjectStore): Promise<Response> {
  const buckets = (await store.buckets()).map(({ name, created }) =>
    group("Bucket", element("Name", name) + element("CreationDate", created.toISOString())),
  );
  return xmlResponse(xmlDocument("ListAllMyBucketsResult", owner + group("Buckets", buckets.join(""))));
}

export const hasBucket = async (store: ObjectStore, bucket: string): Promise<boolean> =>
  (await store.buckets()).some(({ name }) => name === bucket);

export async function requireBucket({ store, bucket }: Call): Promise<void> {
  if (!(await hasBucket(store, bucket))) throw s3Error("NoSuchBucket", `there is no bucket ${bucket}`);
}

export async function createBucket({ store, bucket }: Call): Promise<Response> {
  if (await hasBucket(store, bucket)) throw s3Error("BucketAlreadyOwnedByYou", `the bucket ${bucket} exists already`);
  await store.createBucket(bucket);
  return new Response(null, { status: 200, headers: { location: `/${bucket}` } });
}

export async function deleteBucket(call: Call): Promise<Response> {
  await requireBucket(call);
  await call.store.deleteBucket(call.bucket);
  return new Response(null, { status: 204 });
}

/** Answers a question about a bucket that has only one answer here. */
export async function bucketProperty(call: Call, name: "location" | "versioning"): Promise<Response> {
  await requireBucket(call);
  return xmlResponse(xmlDocument(name === "location" ? "LocationConstraint" : "VersioningConfiguration", ""));
}

/** ListObjectsV2, and ListObjects for older clients. */
export async function listObjects(call: Call): Promise<Response> {
  await requireBucket(call);
  const { query, bucket, store } = call;
  const isV2 = query.get("list-type") === "2";
  const limit = queryNumber(query, "max-keys", { least: 0, most: 1000, standard: 1000 });
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const token = query.get("continuation-token");
  const after = isV2 ? (token === undefined ? query.get("start-after") : readToken(token)) : query.get("marker");
  const page =
    limit === 0
      ? { objects: [], prefixes: [] }
      : await store.list(bucket, {
          prefix,
          limit,
          ...(delimiter ? { delimiter } : {}),
          ...(after ? { cursor: after } : {}),
        });
  const isEncoded = query.get("encoding-type") === "url";
  // Slashes stay, as S3 leaves them.
  const shown = (key: string): string => (isEncoded ? key.split("/").map(encode).join("/") : key);
  const { nextCursor } = page as { nextCursor?: string };
  const head = [
    element("Name", bucket),
    element("Prefix", shown(prefix)),
    element("MaxKeys", limit),
    delimiter ? element("Delimiter", shown(delimiter)) : "",
    isEncoded ? element("EncodingType", "url") : "",
    element("IsTruncated", nextCursor !== undefined),
  ];
  const place = isV2 ? placeV2(call, page, nextCursor) : placeV1(query.get("marker") ?? "", nextCursor, shown);
  const withOwner = !isV2 || query.get("fetch-owner") === "true";
  const objects = page.objects.map((info) => objectEntry(info, shown, withOwner));
  const prefixes = page.prefixes.map((folded) => group("CommonPrefixes", element("Prefix", shown(folded))));
  return xmlResponse(xmlDocument("ListBucketResult", [...head, place, ...objects, ...prefixes].join("")));
}

function placeV2(
  { query }: Call,
  page: { objects: readonly unknown[]; prefixes: readonly unknown[] },
  next?: string,
): string {
  const echo = (name: string, parameter: string): string => {
    const value = query.get(parameter);
    return value === undefined ? "" : element(name, value);
  };
  return (
    element("KeyCount", page.objects.length + page.prefixes.length) +
    echo("ContinuationToken", "continuation-token") +
    echo("StartAfter", "start-after") +
    (next === undefined ? "" : element("NextContinuationToken", Buffer.from(next).toString("base64url")))
  );
}

const placeV1 = (marker: string, next: string | undefined, shown: (key: string) => string): string =>
  element("Marker", shown(marker)) + (next === undefined ? "" : element("NextMarker", shown(next)));

const readToken = (token: string): string => {
  const text = Buffer.from(token, "base64url").toString("utf8");
  if (text === "" || Buffer.from(text).toString("base64url") !== token)
    throw s3Error("InvalidArgument", "continuation-token: expected the token of an earlier page");
  return text;
};

const objectEntry = (info: ObjectInfo, shown: (key: string) => string, withOwner: boolean): string =>
  group(
    "Contents",
    element("Key", shown(info.key)) +
      element("LastModified", info.modified.toISOString()) +
      element("ETag", quoted(info.etag)) +
      element("Size", info.size) +
      element("StorageClass", "STANDARD") +
      (withOwner ? owner : ""),
  );
