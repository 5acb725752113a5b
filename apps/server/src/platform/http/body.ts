// Reads a JSON body: bounded in size and depth, UTF-8 and nothing else, of the right content type.
import { AppError } from "@mlsec/contracts";
import type { HeaderReader } from "./headers.ts";

/** Deeper JSON than this is nobody's request, and would run a recursive validator out of stack. */
const maxDepth = 64;

/** Undefined when there is no body. MEDIA_TYPE, BODY_TOO_LARGE, INVALID_ENCODING or INVALID_JSON otherwise. */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  return parseJson(await readBytes(request, maxBytes), request.headers);
}

/** The same of a body that is already here. */
export function parseJson(bytes: Uint8Array, headers: HeaderReader): unknown {
  if (bytes.length === 0) return undefined;
  requireJson(headers);
  const text = decodeUtf8(bytes);
  requireShallow(text);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new AppError("INVALID_JSON", `the body is not JSON: ${jsonTrouble(cause)}`);
  }
}

function requireJson(headers: HeaderReader): void {
  const type = headers.get("content-type") ?? "";
  if (type === "application/json" && headers.get("content-encoding") === null) return;
  const [media = "", ...parameters] = type
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  if (media !== "application/json" && !/^application\/[\w.-]+\+json$/.test(media)) {
    throw new AppError(
      "MEDIA_TYPE",
      `expected content-type application/json, got ${type === "" ? "none" : JSON.stringify(type.slice(0, 100))}`,
    );
  }
  const charset = parameters
    .find((p) => p.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "");
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8") {
    throw new AppError("MEDIA_TYPE", `expected charset utf-8, got ${JSON.stringify(charset.slice(0, 40))}`);
  }
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity") throw new AppError("MEDIA_TYPE", "a compressed body is not accepted; send it as it is");
}

/** A request's whole body; BODY_TOO_LARGE beyond the limit. */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  if (!request.body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const tooLarge = (maxBytes: number): AppError =>
  new AppError("BODY_TOO_LARGE", `the body is larger than ${maxBytes} bytes`, { maxBytes });

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new AppError("INVALID_ENCODING", "the body is not UTF-8", {}, { cause });
  }
}

/** Counts brackets outside strings, so that nothing recursive ever meets a deep document. */
function requireShallow(text: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (inString) {
      if (unit === 0x5c) i++;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x5b || unit === 0x7b) {
      if (++depth > maxDepth) throw new AppError("INVALID_JSON", `the body is nested deeper than ${maxDepth} levels`);
    } else if (unit === 0x5d || unit === 0x7d) depth--;
  }
}

/** Where the parser stopped, without the text around it, which V8 puts into its message. */
function jsonTrouble(cause: unknown): string {
  const position = /position (\d+)/.exec(cause instanceof Error ? cause.message : "")?.[1];
  return position === undefined
    ? "it ends too early or holds no value"
    : `unexpected character at position ${position}`;
}
