// The aws-chunked body: chunks with their length in front, signed one after the other, and trailers at the end.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
import { createHash } from "node:crypto";
import { s3Error } from "./s3-error.ts";
import { hmac, sameSignature, type Seed } from "./sigv4.ts";

const longestLine = 8192;
const emptyHash = createHash("sha256").digest("hex");

export interface ChunkOptions {
  /** Verify each chunk's signature from here on; undefined: the chunks are not signed or nobody checks. */
  readonly seed?: Seed | undefined;
  readonly onTrailer?: (name: string, value: string) => void;
}

/** The bytes inside. IncompleteBody when the body ends early, SignatureDoesNotMatch at the first wrong chunk. */
export async function* decodeChunks(
  body: AsyncIterable<Uint8Array>,
  { seed, onTrailer = () => undefined }: ChunkOptions = {},
): AsyncIterable<Uint8Array> {
  const input = createReader(body);
  let previous = seed?.signature ?? "";
  for (;;) {
    const [, hex = "", extension = ""] = /^([\da-fA-F]{1,8})(?:;(.*))?$/.exec((await input.line()) ?? "") ?? [];
    if (hex === "") throw s3Error("IncompleteBody", "a chunk of the body has no length");
    const size = Number.parseInt(hex, 16);
    const hash = createHash("sha256");
    for await (const part of input.take(size)) {
      if (seed) hash.update(part);
      yield part;
    }
    if (seed) previous = verifyChunk(seed, previous, extension, size === 0 ? emptyHash : hash.digest("hex"));
    if (size === 0) break;
    if ((await input.line()) !== "") throw s3Error("IncompleteBody", "a chunk is longer than it says");
  }
  await readTrailers(input, seed, previous, onTrailer);
}

function verifyChunk(seed: Seed, previous: string, extension: string, contentHash: string): string {
  const given = /^chunk-signature=([\da-f]{64})$/.exec(extension)?.[1] ?? "";
  const toSign = ["AWS4-HMAC-SHA256-PAYLOAD", seed.amzDate, seed.scope, previous, emptyHash, contentHash].join("\n");
  return requireSignature(seed, toSign, given);
}

function requireSignature(seed: Seed, toSign: string, given: string): string {
  if (!sameSignature(hmac(seed.signingKey, toSign).toString("hex"), given))
    throw s3Error("SignatureDoesNotMatch", "the signature of a chunk does not fit");
  return given;
}

async function readTrailers(
  input: Reader,
  seed: Seed | undefined,
  previous: string,
  onTrailer: (name: string, value: string) => void,
): Promise<void> {
  const lines: string[] = [];
  for (let line = await input.line(); line !== undefined && line !== ""; line = await input.line()) {
    const [, name = "", value = ""] = /^([^:]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === "" || lines.length >= 20) throw s3Error("IncompleteBody", "a trailer of the body cannot be read");
    if (name.toLowerCase() !== "x-amz-trailer-signature") {
      lines.push(`${name.toLowerCase()}:${value}\n`);
      onTrailer(name.toLowerCase(), value);
    } else if (seed) {
      const hash = createHash("sha256").update(lines.join("")).digest("hex");
      const toSign = ["AWS4-HMAC-SHA256-TRAILER", seed.amzDate, seed.scope, previous, hash].join("\n");
      requireSignature(seed, toSign, value);
      lines.length = 0;
    }
  }
  if (seed && lines.length > 0) throw s3Error("SignatureDoesNotMatch", "the trailers are not signed");
}

interface Reader {
  /** Up to the next CRLF, without it; undefined at the end of the body. */
  line(): Promise<string | undefined>;
  take(size: number): AsyncIterable<Uint8Array>;
}

function createReader(body: AsyncIterable<Uint8Array>): Reader {
  const source = body[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const more = async (): Promise<Buffer | undefined> => {
    const next = await source.next();
    return next.done ? undefined : Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
  };
  return {
    async line() {
      for (;;) {
        const end = rest.indexOf("\r\n");
        if (end > longestLine || (end === -1 && rest.length > longestLine))
          throw s3Error("IncompleteBody", "a line between chunks is too long");
        if (end !== -1) {
          const line = rest.toString("latin1", 0, end);
          rest = rest.subarray(end + 2);
          return line;
        }
        const chunk = await more();
        if (!chunk) return rest.length === 0 ? undefined : takeAll();
        rest = Buffer.concat([rest, chunk]);
      }
    },
    async *take(size) {
      for (let left = size; left > 0; ) {
        if (rest.length === 0) {
          const chunk = await more();
          if (!chunk) throw s3Error("IncompleteBody", `the body ends ${left} bytes early`);
          rest = chunk;
        }
        const part = rest.subarray(0, left);
        rest = rest.subarray(part.length);
        left -= part.length;
        if (part.length > 0) yield part;
      }
    },
  };
  function takeAll(): string {
    const line = rest.toString("latin1");
    rest = Buffer.alloc(0);
    return line;
  }
}
