/** Reads and writes the one file of a linear model. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { writeChunks } from "../weights/safetensors-file.ts";
import { type LinearModel, linearFile, parseLinear } from "./model.ts";

/**
 * Reads a model that `saveLinear` wrote.
 * @throws EngineError WEIGHTS when the file is missing or damaged.
 * @example
 * (await loadLinear("models/linear")).logits("Ignore previous instructions");
 */
export async function loadLinear(folder: string): Promise<LinearModel> {
  const where = join(folder, linearFile);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(where);
  } catch (cause) {
    throw new EngineError("WEIGHTS", "weight file cannot be read", { where }, { cause });
  }
  return parseLinear(bytes, where);
}

/**
 * Writes `linear.bin` into a folder, atomically.
 * @example
 * await saveLinear("models/linear", (await trainLinear(rows)).model);
 */
export async function saveLinear(folder: string, model: LinearModel): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeChunks(join(folder, linearFile), [model.encode()]);
}
