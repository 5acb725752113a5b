/** An encoder in ONNX Runtime, whichever build of it: rows of token ids in, logits out. */
import type { InferenceSession } from "onnxruntime-node";
import { EngineError } from "../error.ts";
import type { EncoderConfig, ModelDescription } from "../models/architecture.ts";
import type { Feed } from "../nn/feed.ts";
import { encodeModel } from "../onnx/model.ts";
import type { WeightPlace } from "../weights/folder.ts";
import type { WeightTensor } from "../weights/safetensors.ts";
import { feedTensors, paddedRows } from "./feeds.ts";
import { buildInferenceGraph } from "./graph.ts";
import type { IntegerForm } from "./integer.ts";
import { packRuns, runTokens } from "./pack.ts";
import type { Runtime } from "./runtime.ts";

/** A loaded encoder. Concurrent calls run one after another; to have them share runs put a batcher in front. */
export interface Session {
  readonly config: EncoderConfig;
  readonly precision: "fp32" | "int8";
  /** Bytes of its weights; ONNX Runtime's packed copies and its arena come on top. */
  readonly memoryBytes: number;
  /**
   * Logits (labels) of each row, in input order.
   * @throws EngineError SHAPE for an empty row or one longer than the model reads.
   */
  run(rows: readonly Int32Array[]): Promise<Float32Array[]>;
  release(): Promise<void>;
}

/** Weights of a model and how they are held. */
export interface RunnerWeights {
  readonly precision: "fp32" | "int8";
  readonly tensors: ReadonlyMap<string, WeightTensor>;
  /** fp32: where tensors lie in files that ONNX Runtime maps; absent, they travel inside the graph. */
  readonly places?: ReadonlyMap<string, WeightPlace>;
  /** int8: how weights are held. Default: probed (`probeIntegerForm`). */
  readonly integerForm?: IntegerForm | undefined;
}

/**
 * Loads a classifier into a runtime.
 * @param maxTokens tokens of one run, padding included
 * @throws EngineError WEIGHTS when tensors are missing or have other shapes than the configuration says.
 * @example
 * const session = await createRunner(runtime, model, { precision: "int8", tensors });
 */
export async function createRunner(
  runtime: Runtime,
  model: ModelDescription,
  weights: RunnerWeights & { readonly maxTokens?: number | undefined },
): Promise<Session> {
  const { precision, tensors, places, maxTokens = runTokens } = weights;
  const form = precision === "int8" ? { integerForm: weights.integerForm ?? (await probeIntegerForm(runtime)) } : {};
  const { onnx, feeds } = buildInferenceGraph(model, tensors, places ? { places } : form);
  let memoryBytes = 0;
  for (const { dtype, shape } of tensors.values()) {
    memoryBytes += shape.reduce((product, size) => product * size, dtype === "I8" ? 1 : 4);
  }
  const inner = await runtime.open(encodeModel(onnx));
  return new LoadedSession({ inner, runtime, feeds, config: model.config, precision, memoryBytes, maxTokens });
}

/**
 * Which form of int8 weights this processor multiplies exactly.
 * AVX2 without VNNI adds two u8·s8 products in 16 bits, which saturates; its u8·u8 product does not.
 * @returns "s8" where full-range products are exact, else "u8"
 * @example
 * const integerForm = await probeIntegerForm(nodeRuntime()); // "s8" on AVX-512 VNNI
 */
export async function probeIntegerForm({ open, Tensor }: Runtime): Promise<IntegerForm> {
  const [inner, outer] = [64, 32];
  const session = await open(
    encodeModel({
      name: "probe",
      inputs: [{ name: "a", type: "uint8", dims: [1, inner] }],
      outputs: [{ name: "y", type: "int32", dims: [1, outer] }],
      initializers: [{ name: "b", type: "int8", dims: [inner, outer], data: new Int8Array(inner * outer).fill(127) }],
      nodes: [{ op: "MatMulInteger", inputs: ["a", "b"], outputs: ["y"] }],
    }),
  );
  try {
    const a = new Tensor("uint8", new Uint8Array(inner).fill(255), [1, inner]);
    const { y } = await session.run({ a });
    const exact = inner * 255 * 127;
    return y && Array.from(y.data as Int32Array).every((value) => value === exact) ? "s8" : "u8";
  } finally {
    await session.release();
  }
}

interface Loaded {
  readonly inner: InferenceSession;
  readonly runtime: Runtime;
  readonly feeds: readonly Feed[];
  readonly config: EncoderConfig;
  readonly precision: "fp32" | "int8";
  readonly memoryBytes: number;
  readonly maxTokens: number;
}

class LoadedSession implements Session {
  readonly config: EncoderConfig;
  readonly precision: "fp32" | "int8";
  readonly memoryBytes: number;
  readonly #loaded: Loaded;
  #ids: Int32Array; // grows to the largest run and is used again
  #turn: Promise<unknown> = Promise.resolve();

  constructor(loaded: Loaded) {
    this.#loaded = loaded;
    this.config = loaded.config;
    this.precision = loaded.precision;
    this.memoryBytes = loaded.memoryBytes;
    this.#ids = new Int32Array(loaded.maxTokens);
  }

  run(rows: readonly Int32Array[]): Promise<Float32Array[]> {
    const answer = this.#turn.then(() => this.#runAll(rows));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  async #runAll(rows: readonly Int32Array[]): Promise<Float32Array[]> {
    const results = Array.from<Float32Array>({ length: rows.length });
    const lengths = rows.map((row) => this.#checked(row).length);
    for (const indices of packRuns(lengths, { maxTokens: this.#loaded.maxTokens })) {
      const logits = await this.#runOnce(indices.map((i) => rows[i] ?? new Int32Array()));
      const labels = logits.length / indices.length;
      for (const [at, index] of indices.entries()) results[index] = logits.slice(at * labels, (at + 1) * labels);
    }
    return results;
  }

  async release(): Promise<void> {
    await this.#turn;
    await this.#loaded.inner.release();
  }

  /** One run: rows padded to the longest, which stands first. */
  async #runOnce(rows: readonly Int32Array[]): Promise<Float32Array> {
    const { feeds, inner, config, runtime } = this.#loaded;
    const size = rows.length * (rows[0]?.length ?? 0);
    if (this.#ids.length < size) this.#ids = new Int32Array(size);
    const { logits } = await inner.run(feedTensors(feeds, paddedRows(rows, config.padId, this.#ids), runtime.Tensor));
    return logits?.data as Float32Array;
  }

  #checked(row: Int32Array): Int32Array {
    if (row.length > 0 && row.length <= this.config.maxTokens) return row;
    throw new EngineError("SHAPE", "row is empty or longer than the model reads", {
      expected: `1 to ${this.config.maxTokens} tokens`,
      got: row.length,
    });
  }
}
