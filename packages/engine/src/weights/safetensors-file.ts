/** Reads and writes safetensors files. */
import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { EngineError } from "../error.ts";
import { parseSafetensors, type SafetensorsFile, safetensorsChunks, type TensorToWrite } from "./safetensors.ts";

/**
 * Reads a safetensors file whole.
 * @throws EngineError WEIGHTS when the file is missing or damaged.
 * @example
 * const { tensors } = await readSafetensors("models/minilm-l6/model.safetensors");
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new EngineError("WEIGHTS", "weight file cannot be read", { where: path }, { cause });
  }
  return parseSafetensors(bytes, path);
}

/**
 * Writes a safetensors file atomically: a temporary file beside it, fsync, rename.
 * Wider elements come first so that every tensor is aligned; names are sorted, so equal input gives equal bytes.
 * @throws EngineError WEIGHTS when data and shape differ or a name appears twice.
 * @example
 * await writeSafetensors("w.safetensors", [{ name: "a", dtype: "F32", shape: [2], data: Float32Array.of(1, 2) }]);
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeChunks(path, safetensorsChunks(tensors, metadata));
}

/**
 * Writes a file of bytes atomically: a temporary file beside it, fsync, rename.
 * @example
 * await writeChunks("models/linear/linear.bin", [model.encode()]);
 */
export async function writeChunks(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      for (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes the rename itself durable; Windows cannot open folders and needs no such step. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
