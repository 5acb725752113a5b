// Content on its way to a server that wants its length and digests before the first byte: kept in memory when it lies there
// already, else in a temporary file.
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { AppError } from "@mlsec/contracts";
import type { Content, PutOptions } from "./object-store.ts";
import { storageError } from "./sidecar.ts";

export interface Spooled {
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** Base64, as Content-MD5 has it. */
  readonly md5: string;
  /** From the start, as often as asked. */
  open(): Readable;
  drop(): Promise<void>;
}

/** DIGEST_MISMATCH and STORAGE_FULL are known before anything is sent; on any failure nothing is left behind. */
export async function spool(content: Content, folder: string, options: PutOptions): Promise<Spooled> {
  if (typeof content === "string" || content instanceof Uint8Array) {
    const bytes = Buffer.from(content);
    const digests = { sha256: createHash("sha256").update(bytes), md5: createHash("md5").update(bytes) };
    const about = { size: bytes.byteLength, sha256: digests.sha256.digest("hex"), md5: digests.md5.digest("base64") };
    requireDigest(options, about.sha256);
    return { ...about, open: () => Readable.from([bytes]), drop: async () => undefined };
  }
  const file = path.join(folder, `${randomBytes(12).toString("hex")}.part`);
  const drop = (): Promise<void> => fs.rm(file, { force: true });
  try {
    const about = await write(content, file, options.signal);
    requireDigest(options, about.sha256);
    return { ...about, open: () => createReadStream(file), drop };
  } catch (error) {
    await drop().catch(() => undefined);
    throw storageError(error);
  }
}

async function write(
  content: AsyncIterable<Uint8Array>,
  file: string,
  signal: AbortSignal | undefined,
): Promise<Pick<Spooled, "size" | "sha256" | "md5">> {
  const sha256 = createHash("sha256");
  const md5 = createHash("md5");
  let size = 0;
  await fs.mkdir(path.dirname(file), { recursive: true });
  const handle = await fs.open(file, "wx", 0o600);
  try {
    for await (const chunk of content) {
      signal?.throwIfAborted();
      sha256.update(chunk);
      md5.update(chunk);
      size += chunk.byteLength;
      await handle.writeFile(chunk);
    }
  } finally {
    await handle.close();
  }
  return { size, sha256: sha256.digest("hex"), md5: md5.digest("base64") };
}

function requireDigest({ sha256: expected }: PutOptions, found: string): void {
  if (expected !== undefined && expected.toLowerCase() !== found)
    throw new AppError("DIGEST_MISMATCH", `expected SHA-256 ${expected.slice(0, 64)}, got ${found}`);
}
