// AWS Signature Version 4: in the Authorization header or in the query of a presigned address.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { s3Error } from "./s3-error.ts";

export interface Keys {
  readonly accessKey: string;
  readonly secretKey: string;
}
/** What the chunks of a signed stream go on from. */
export interface Seed {
  readonly signature: string;
  readonly scope: string;
  readonly amzDate: string;
  readonly signingKey: Buffer;
}
export interface Signed {
  readonly accessKey: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly amzDate: string;
  /** Seconds; only presigned addresses have them. */
  readonly expires?: number;
}

const algorithm = "AWS4-HMAC-SHA256";
const mostSkewMs = 15 * 60_000;
const longestPresignSeconds = 7 * 24 * 3600;
const sha256 = (data: string): string => createHash("sha256").update(data).digest("hex");
export const hmac = (key: Buffer | string, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** AWS's percent-encoding: everything but unreserved characters. */
export const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** Query pairs as sent: a plus sign is a plus sign here. InvalidURI when an escape is not UTF-8. */
export function queryPairs(search: string): [string, string][] {
  return search
    .replace(/^\?/, "")
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
      return [decode(name), decode(value)];
    });
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw s3Error("InvalidURI", "a percent escape is not UTF-8");
  }
}

/** The signature a request carries; undefined when it carries none. AuthorizationHeaderMalformed when it cannot be read. */
export function readSignature(request: Request): Signed | undefined {
  const url = new URL(request.url);
  const query = new Map(queryPairs(url.search));
  if (query.has("X-Amz-Signature")) return presigned(query);
  const header = request.headers.get("authorization");
  if (header === null) return undefined;
  const [, scheme = "", rest = ""] = /^(\S+)\s+(.*)$/s.exec(header) ?? [];
  if (scheme !== algorithm)
    throw s3Error("InvalidRequest", `expected Authorization by ${algorithm}, got ${scheme.slice(0, 40)}`);
  const fields = new Map(
    rest.split(",").map((part) => {
      const [, name = "", value = ""] = /^\s*([^=]*)=(.*?)\s*$/s.exec(part) ?? [];
      return [name, value];
    }),
  );
  const amzDate = request.headers.get("x-amz-date") ?? "";
  return signed(fields.get("Credential"), fields.get("SignedHeaders"), fields.get("Signature"), amzDate);
}

function presigned(query: ReadonlyMap<string, string>): Signed {
  const expires = Number(query.get("X-Amz-Expires"));
  if (query.get("X-Amz-Algorithm") !== algorithm || !(expires >= 0 && expires <= longestPresignSeconds))
    throw s3Error(
      "AuthorizationHeaderMalformed",
      "the presigned address has another algorithm or lifetime than S3 allows",
    );
  const parts = ["X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature"].map((name) => query.get(name));
  return { ...signed(parts[0], parts[1], parts[2], query.get("X-Amz-Date") ?? ""), expires };
}

function signed(
  credential: string | undefined,
  headers: string | undefined,
  signature: string | undefined,
  amzDate: string,
): Signed {
  const [, accessKey, date, region, service] =
    /^(.+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/.exec(credential ?? "") ?? [];
  const complete = accessKey && date && region && service && headers && /^[\da-f]{64}$/.test(signature ?? "");
  if (!complete || !/^\d{8}T\d{6}Z$/.test(amzDate) || !amzDate.startsWith(date))
    throw s3Error("AuthorizationHeaderMalformed", "credential, signed headers, signature or date cannot be read");
  const signedHeaders = headers.split(";").map((name) => name.toLowerCase());
  return { accessKey, date, region, service, signedHeaders, signature: signature ?? "", amzDate };
}

/** The text that is hashed into the signature. `path` is the path as sent. */
export function canonicalRequest(request: Request, found: Signed, payloadHash: string): string {
  const url = new URL(request.url);
  // A slash of a key is a slash in the signature, however it was sent.
  const path = encode(decode(url.pathname)).replaceAll("%2F", "/");
  const query = queryPairs(url.search)
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .toSorted(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  const headers = found.signedHeaders.map(
    (name) => `${name}:${(request.headers.get(name) ?? "").trim().replace(/ +/g, " ")}\n`,
  );
  return [request.method, path, query, headers.join(""), found.signedHeaders.join(";"), payloadHash].join("\n");
}

export function signingKey(
  secret: string,
  { date, region, service }: Pick<Signed, "date" | "region" | "service">,
): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), "aws4_request");
}

export const sameSignature = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a, "latin1"), Buffer.from(b, "latin1"));

/** The seed of a rightly signed request. AccessDenied, InvalidAccessKeyId, RequestTimeTooSkewed or SignatureDoesNotMatch otherwise. */
export function verify(request: Request, keys: Keys, now: Date): Seed {
  const found = readSignature(request);
  if (!found) throw s3Error("AccessDenied", "this store asks for a signature");
  if (!sameSignature(sha256(found.accessKey), sha256(keys.accessKey)))
    throw s3Error("InvalidAccessKeyId", "the access key is not known here");
  requireFresh(found, now);
  if (!found.signedHeaders.includes("host"))
    throw s3Error("AuthorizationHeaderMalformed", "the Host header must be signed");
  const payloadHash = request.headers.get("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
  if (found.expires === undefined && !found.signedHeaders.includes("x-amz-content-sha256"))
    throw s3Error("AuthorizationHeaderMalformed", "x-amz-content-sha256 must be signed");
  const scope = `${found.date}/${found.region}/${found.service}/aws4_request`;
  const toSign = [algorithm, found.amzDate, scope, sha256(canonicalRequest(request, found, payloadHash))].join("\n");
  const key = signingKey(keys.secretKey, found);
  if (!sameSignature(hmac(key, toSign).toString("hex"), found.signature))
    throw s3Error("SignatureDoesNotMatch", "the signature does not fit the request and the secret key");
  return { signature: found.signature, scope, amzDate: found.amzDate, signingKey: key };
}

function requireFresh({ amzDate, expires }: Signed, now: Date): void {
  const at = Date.parse(amzDate.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  const age = now.getTime() - at;
  if (expires !== undefined && age > expires * 1000) throw s3Error("AccessDenied", "the presigned address has expired");
  if (Number.isNaN(at) || age < -mostSkewMs || (expires === undefined && age > mostSkewMs))
    throw s3Error("RequestTimeTooSkewed", "the request was signed more than 15 minutes before or after now");
}
