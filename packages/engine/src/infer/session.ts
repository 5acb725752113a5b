/** An encoder loaded into ONNX Runtime: rows of token ids in, logits out. `run` blocks its thread while it computes. */
import { join, resolve } from "node:path";
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { EngineError } from "../error.ts";
import type { EncoderConfig } from "../models/architecture.ts";
import { readModelConfig } from "../models/registry.ts";
import type { Feed } from "../nn/feed.ts";
import { encodeModel } from "../onnx/model.ts";
import { readWeights } from "../weights/folder.ts";
import { readSafetensors } from "../weights/safetensors.ts";
import { feedTensors, paddedRows } from "./feeds.ts";
import { buildInferenceGraph } from "./graph.ts";
import type { IntegerForm } from "./integer.ts";
import { openModel } from "./open.ts";
import { packRuns } from "./pack.ts";
import { weightFiles } from "./quantise.ts";

/** Options of `createSession`. */
export interface SessionOptions {
  /** fp32 reads the weights that the folder has, int8 `model.int8.safetensors`. */
  readonly precision: "fp32" | "int8";
  /** Threads of one run; 0 or absent lets ONNX Runtime choose (one per core). */
  readonly threads?: number;
  /** Tokens of one run, padding included. Default 4,096. */
  readonly maxTokens?: number;
  /** int8: how weights are held. Default: probed (`probeIntegerForm`). */
  readonly integerForm?: IntegerForm;
}

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

/**
 * Loads a model folder (`config.json` and weights).
 * fp32 weights stay in their file, which ONNX Runtime maps; int8 weights travel inside the graph.
 * @throws EngineError CONFIG or WEIGHTS when the folder is incomplete or damaged.
 * @example
 * const session = await createSession("models/distilbert", { precision: "int8", threads: 2 });
 * const [logits] = await session.run([Int32Array.of(101, 7592, 102)]);
 */
export async function createSession(folder: string, options: SessionOptions): Promise<Session> {
  const { precision } = options;
  const model = await readModelConfig(folder);
  const file = precision === "fp32" ? await readWeights(folder) : await readSafetensors(join(folder, weightFiles.int8));
  const { onnx, feeds } = buildInferenceGraph(
    model,
    file.tensors,
    "places" in file ? { places: file.places } : { integerForm: options.integerForm ?? (await probeIntegerForm()) },
  );
  let memoryBytes = 0;
  for (const { dtype, shape } of file.tensors.values()) {
    memoryBytes += shape.reduce((product, size) => product * size, dtype === "I8" ? 1 : 4);
  }
  const inner = await openModel(encodeModel(onnx), options.threads, resolve(folder));
  const { maxTokens = 4096 } = options;
  return new LoadedSession({ inner, feeds, config: model.config, precision, memoryBytes, maxTokens });
}

/**
 * Which form of int8 weights this processor multiplies exactly.
 * AVX2 without VNNI adds two u8·s8 products in 16 bits, which saturates; its u8·u8 product does not.
 * @returns "s8" where full-range products are exact, else "u8"
 * @example
 * const integerForm = await probeIntegerForm(); // "s8" on AVX-512 VNNI
 */
export async function probeIntegerForm(): Promise<IntegerForm> {
  const [inner, outer] = [64, 32];
  const session = await openModel(
    encodeModel({
      name: "probe",
      inputs: [{ name: "a", type: "uint8", dims: [1, inner] }],
      outputs: [{ name: "y", type: "int32", dims: [1, outer] }],
      initializers: [{ name: "b", type: "int8", dims: [inner, outer], data: new Int8Array(inner * outer).fill(127) }],
      nodes: [{ op: "MatMulInteger", inputs: ["a", "b"], outputs: ["y"] }],
    }),
    1,
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
    const { feeds, inner, config } = this.#loaded;
    const size = rows.length * (rows[0]?.length ?? 0);
    if (this.#ids.length < size) this.#ids = new Int32Array(size);
    const { logits } = await inner.run(feedTensors(feeds, paddedRows(rows, config.padId, this.#ids)));
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
