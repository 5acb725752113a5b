// One S3 call: which bucket and key, which query, who signed it.
import type { ObjectStore } from "../../platform/storage/object-store.ts";
import { s3Error } from "./s3-error.ts";
import { decode, queryPairs, type Seed } from "./sigv4.ts";

export interface Call {
  readonly request: Request;
  readonly method: string;
  readonly bucket: string;
  /** Empty: the bucket itself. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly seed: Seed | undefined;
  readonly store: ObjectStore;
}

const bucketRule = /^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/;
const longestKeyBytes = 1024;

/** Path style: `/bucket/key`. The store's own buckets begin with a dot and are no names here. */
export function readTarget(request: Request): Pick<Call, "bucket" | "key" | "query"> {
  const { pathname, search } = new URL(request.url);
  const [, rawBucket = "", rawKey = ""] = /^\/([^/]*)\/?(.*)$/s.exec(pathname) ?? [];
  const bucket = requireBucket(decode(rawBucket));
  return { bucket, key: requireKey(decode(rawKey)), query: new Map(queryPairs(search)) };
}

function requireBucket(bucket: string): string {
  if (bucket !== "" && (!bucketRule.test(bucket) || bucket.includes("..")))
    throw s3Error("InvalidBucketName", "a bucket name has 3 to 63 lower-case letters, digits, dots and hyphens");
  return bucket;
}

function requireKey(key: string): string {
  if (Buffer.byteLength(key) > longestKeyBytes) throw s3Error("KeyTooLongError", "a key has at most 1,024 bytes");
  return key;
}

/** `x-amz-copy-source`: `/bucket/key`, percent-encoded. Versions are not kept. */
export function readCopySource(header: string): { bucket: string; key: string } {
  const [, rawBucket, rawKey] = /^\/?([^/?]+)\/([^?]+)/s.exec(header) ?? [];
  if (rawBucket === undefined || rawKey === undefined)
    throw s3Error("InvalidArgument", "x-amz-copy-source: expected /bucket/key");
  return { bucket: requireBucket(decode(rawBucket)), key: requireKey(decode(rawKey)) };
}

/** A whole number of the query within limits, or the standard value. */
export function queryNumber(
  query: Call["query"],
  name: string,
  limits: { least: number; most: number; standard: number },
): number {
  const text = query.get(name);
  if (text === undefined || text === "") return limits.standard;
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < limits.least)
    throw s3Error("InvalidArgument", `${name}: expected a whole number of at least ${limits.least}`);
  return Math.min(value, limits.most);
}

export const xmlResponse = (body: string, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(body, { status, headers: { "content-type": "application/xml", ...headers } });
export const quoted = (etag: string): string => `"${etag}"`;
