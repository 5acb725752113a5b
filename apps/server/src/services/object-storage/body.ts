// The content of an upload: decoded, counted and checked while it streams. What is wrong is thrown at its end, before the
// store makes the object visible.
import { createChecksum } from "./checksums.ts";
import { decodeChunks } from "./chunked.ts";
import { s3Error } from "./s3-error.ts";
import type { Seed } from "./sigv4.ts";

interface Expectation {
  readonly name: string;
  readonly checksum: NonNullable<ReturnType<typeof createChecksum>>;
  value?: string;
}
const checksumPrefix = "x-amz-checksum-";
const notChecksums = new Set(["algorithm", "mode", "type"]);

/** InvalidDigest at once when a header cannot be a digest; BadDigest, IncompleteBody or XAmzContentSHA256Mismatch at the end. */
export async function* uploadBody(request: Request, seed: Seed | undefined): AsyncIterable<Uint8Array> {
  const { headers } = request;
  const payload = headers.get("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
  const expected = expectations(headers, payload);
  const source = request.body ?? emptyBody();
  const isChunked = payload.startsWith("STREAMING-");
  const isSigned = payload.startsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  const onTrailer = (name: string, value: string): void => {
    const found = expected.find((expectation) => expectation.name === name);
    if (found) found.value = value;
  };
  const content = isChunked ? decodeChunks(source, { seed: isSigned ? seed : undefined, onTrailer }) : source;
  let size = 0;
  for await (const chunk of content) {
    size += chunk.byteLength;
    for (const { checksum } of expected) checksum.update(chunk);
    yield chunk;
  }
  requireLength(headers, isChunked, size);
  for (const { name, checksum, value } of expected) {
    if (value === checksum.digest()) continue;
    if (name === "x-amz-content-sha256")
      throw s3Error("XAmzContentSHA256Mismatch", "the body has another SHA-256 than was signed");
    throw s3Error("BadDigest", `the body has another ${name} than was sent`);
  }
}

async function* emptyBody(): AsyncIterable<Uint8Array> {}

function requireLength(headers: Headers, isChunked: boolean, size: number): void {
  const declared = headers.get(isChunked ? "x-amz-decoded-content-length" : "content-length");
  if (declared !== null && Number(declared) !== size)
    throw s3Error("IncompleteBody", `expected ${declared.slice(0, 20)} bytes, got ${size}`);
}

function expectations(headers: Headers, payload: string): Expectation[] {
  const found: Expectation[] = [];
  const expect = (name: string, algorithm: string, value?: string): void => {
    const checksum = createChecksum(algorithm);
    if (!checksum) throw s3Error("InvalidRequest", `${name.slice(0, 60)} is no checksum that S3 knows`);
    found.push({ name, checksum, ...(value === undefined ? {} : { value }) });
  };
  const md5 = headers.get("content-md5");
  if (md5 !== null) {
    if (!/^[A-Za-z\d+/]{22}==$/.test(md5)) throw s3Error("InvalidDigest", "Content-MD5 is no base64 of 16 bytes");
    expect("content-md5", "md5", md5);
  }
  if (/^[\da-f]{64}$/i.test(payload))
    expect("x-amz-content-sha256", "sha256", Buffer.from(payload, "hex").toString("base64"));
  for (const [name, value] of headers) {
    const algorithm = name.startsWith(checksumPrefix) ? name.slice(checksumPrefix.length) : undefined;
    if (algorithm !== undefined && !notChecksums.has(algorithm)) expect(name, algorithm, value);
  }
  for (const name of (headers.get("x-amz-trailer") ?? "").toLowerCase().split(",")) {
    const algorithm = name.trim().startsWith(checksumPrefix) ? name.trim().slice(checksumPrefix.length) : undefined;
    if (algorithm !== undefined) expect(name.trim(), algorithm);
  }
  return found;
}

const mostXmlBytes = 4 * 2 ** 20;
/** A small body as text, checked like any upload. */
export async function uploadText(request: Request, seed: Seed | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of uploadBody(request, seed)) {
    size += chunk.byteLength;
    if (size > mostXmlBytes) throw s3Error("MalformedXML", "the document is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
