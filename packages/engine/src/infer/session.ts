/** A model folder loaded into ONNX Runtime. `run` blocks its thread while it computes. */
import { join, resolve } from "node:path";
import { readModelConfig } from "../models/registry.ts";
import { type FolderWeights, readWeights } from "../weights/folder.ts";
import { weightFiles } from "../weights/names.ts";
import { readSafetensors } from "../weights/safetensors-file.ts";
import type { IntegerForm } from "./integer.ts";
import { type ExecutionProvider, nodeRuntime } from "./open.ts";
import { createRunner, type Session } from "./runner.ts";

/** Options of `createSession`. */
export interface SessionOptions {
  /** fp32 reads the weights that the folder has, int8 `model.int8.safetensors`. */
  readonly precision: "fp32" | "int8";
  /** Threads of one run; 0 or absent lets ONNX Runtime choose (one per core). */
  readonly threads?: number;
  /** Tokens of one run, padding included. Default `runTokens`. */
  readonly maxTokens?: number;
  /** int8: how weights are held. Default: probed (`probeIntegerForm`). */
  readonly integerForm?: IntegerForm;
  /** What computes. Default cpu. */
  readonly provider?: ExecutionProvider;
}

/**
 * Loads a model folder (`config.json` and weights).
 * fp32 weights stay in their file, which ONNX Runtime maps; int8 weights travel inside the graph.
 * @throws EngineError CONFIG or WEIGHTS when the folder is incomplete or damaged.
 * @example
 * const session = await createSession("models/distilbert", { precision: "int8", threads: 2 });
 * const [logits] = await session.run([Int32Array.of(101, 7592, 102)]);
 */
export async function createSession(folder: string, options: SessionOptions): Promise<Session> {
  const { precision, provider, threads, maxTokens, integerForm } = options;
  const model = await readModelConfig(folder);
  const { tensors, places } = precision === "fp32" ? await readWeights(folder) : await readInt8(folder);
  const runtime = nodeRuntime({ threads, provider, folder: resolve(folder) });
  return createRunner(runtime, model, { precision, tensors, ...(places ? { places } : {}), integerForm, maxTokens });
}

async function readInt8(folder: string): Promise<Pick<FolderWeights, "tensors"> & { places?: never }> {
  return { tensors: (await readSafetensors(join(folder, weightFiles.int8))).tensors };
}
