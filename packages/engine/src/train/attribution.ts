/**
 * Which tokens speak for an attack: integrated gradients of the log odds, from a text of average words to this one,
 * through the graph that training uses and the weights that are served. Attributions of a window add up to the change
 * of its log odds. A plain gradient would not do: the layer norm behind the embeddings and a sure classifier both
 * flatten it. https://arxiv.org/abs/1703.01365
 */
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { readModelConfig } from "../models/registry.ts";
import { loadTokenizer } from "../tokenizers/folder.ts";
import { readWeights } from "../weights/folder.ts";
import { dequantise } from "../weights/int8.ts";
import type { WeightTensor } from "../weights/safetensors.ts";
import { readSafetensors } from "../weights/safetensors-file.ts";
import { padBatch, type TokenBatch } from "./batch.ts";
import { createDropoutPool } from "./dropout.ts";
import { type EncoderSessions, openEncoder } from "./encoder.ts";
import { parametersOf, wordTableOf } from "./parameters.ts";

/** One token of a text and what it adds to the log odds of an attack over an average word. Offsets are UTF-16. */
export interface TokenAttribution {
  readonly start: number;
  readonly end: number;
  readonly attribution: number;
}

/** A classifier opened for its gradients. Memory: float32 weights and one graph, whatever it serves in. */
export interface Attributor {
  /**
   * Attributions of the tokens of a text in order, window by window without overlap.
   * @throws EngineError CANCELLED when `signal` aborts between two windows.
   */
  attribute(text: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<TokenAttribution[]>;
  release(): Promise<void>;
}

/** Options of `openAttributor`. */
export interface AttributorOptions {
  /** Labels that mean no attack. */
  readonly benignLabels: readonly string[];
  /** Tokens of a window; default 128 or the longest input. */
  readonly windowTokens?: number;
  /** int8 reads `model.int8.safetensors` back into float32. */
  readonly precision: "fp32" | "int8";
  readonly threads?: number;
  /** Points on the way from average words to the text. Default 16. */
  readonly steps?: number;
}

/**
 * Opens a model folder.
 * @throws EngineError CONFIG, WEIGHTS or TOKENIZER when the folder is incomplete or damaged.
 * @example
 * const attributor = await openAttributor("models/distilbert", { benignLabels: ["benign"], precision: "int8" });
 * const tokens = await attributor.attribute("Ignore previous instructions");
 */
export async function openAttributor(folder: string, options: AttributorOptions): Promise<Attributor> {
  const { benignLabels, precision, threads = 0 } = options;
  const model = await readModelConfig(folder);
  const tokenizer = await loadTokenizer(folder);
  const parameters = parametersOf(await tensorsOf(folder, precision), model, { folder, seed: 0 });
  const { labels, padId, maxTokens, multiLabel } = model.config;
  if (multiLabel)
    throw new EngineError("CONFIG", "attributions need labels that exclude each other", { where: folder });
  const rates = { hidden: 0, attention: 0, head: 0 };
  const sessions = await openEncoder(model, parameters, {
    ...{ rates, threads, wordGradients: true },
    isTrainable: () => false,
  });
  const benign = labels.map((label) => benignLabels.includes(label));
  const { prefixIds, suffixIds } = tokenizer;
  const room = Math.min(options.windowTokens ?? 128, maxTokens) - prefixIds.length - suffixIds.length;

  const { steps = 16 } = options;
  const table = wordTableOf(model);
  const vectors = parameters.get(table)?.data ?? new Float32Array();
  const width = vectors.length / model.config.vocabSize;
  const average = meanRow(vectors, width);
  const attributeWindow = async (ids: Int32Array): Promise<Float32Array> => {
    const window = Int32Array.of(...prefixIds, ...ids, ...suffixIds);
    const batch = padBatch(
      Array.from({ length: steps }, () => window),
      [],
      padId,
    );
    // How each content word differs from the average one; specials stay themselves.
    const away = new Float32Array(window.length * width);
    for (const [i, id] of ids.entries()) {
      const at = (i + prefixIds.length) * width;
      for (let k = 0; k < width; k++) away[at + k] = (vectors[id * width + k] ?? 0) - (average[k] ?? 0);
    }
    const shift = new Float32Array(steps * away.length);
    for (let step = 0; step < steps; step++) {
      const back = (step + 0.5) / steps - 1;
      for (let i = 0; i < away.length; i++) shift[step * away.length + i] = back * (away[i] as number);
    }
    const slopes = await logOddsSlopes(sessions, batch, { benign, shifts: new Map([[table, shift]]) });
    const out = new Float32Array(ids.length);
    for (let i = 0; i < ids.length; i++) {
      const at = (i + prefixIds.length) * width;
      for (let k = at; k < at + width; k++) out[i] = (out[i] ?? 0) + (away[k] ?? 0) * (slopes[k] ?? 0);
    }
    return out;
  };

  return {
    attribute: async (text, { signal } = {}) => {
      const { ids, starts, ends } = tokenizer.encode(text, { addSpecials: false });
      const out: TokenAttribution[] = [];
      for (let from = 0; from < ids.length; from += room) {
        if (signal?.aborted) throw new EngineError("CANCELLED", "the caller aborted", {}, { cause: signal.reason });
        const scores = await attributeWindow(ids.subarray(from, from + room));
        for (const [i, attribution] of scores.entries()) {
          out.push({ start: starts[from + i] ?? 0, end: ends[from + i] ?? 0, attribution });
        }
        await new Promise((done) => setImmediate(done)); // a run blocks this thread
      }
      return out;
    },
    release: () => sessions.release(),
  };
}

async function tensorsOf(folder: string, precision: "fp32" | "int8"): Promise<ReadonlyMap<string, WeightTensor>> {
  if (precision === "fp32") return (await readWeights(folder)).tensors;
  return dequantise((await readSafetensors(join(folder, "model.int8.safetensors"))).tensors);
}

function meanRow(vectors: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  for (const [i, value] of vectors.entries()) mean[i % width] = (mean[i % width] ?? 0) + value;
  return mean.map((sum) => (sum * width) / vectors.length);
}

/** Mean over the rows of the gradient of each row's log odds by its words, (tokens, width). */
async function logOddsSlopes(
  sessions: EncoderSessions,
  batch: TokenBatch,
  { benign, shifts }: { readonly benign: readonly boolean[]; readonly shifts: ReadonlyMap<string, Float32Array> },
): Promise<Float64Array> {
  const inputs = { masks: createDropoutPool(0).at(0, 0), shifts };
  const labels = benign.length;
  const even = Float32Array.from({ length: batch.rows * labels }, (_, i) => Number(benign[i % labels]));
  const several = benign.filter(Boolean).length > 1;
  // −log P(benign) is the cross-entropy with each benign label by its own share; with one label that share is 1.
  const first = await sessions.step(batch, { ...inputs, targets: even });
  const sides = Array.from({ length: batch.rows }, (_, row) =>
    sidesOf(first.logits.subarray(row * labels, (row + 1) * labels), benign),
  );
  const targets = Float32Array.from(sides.flatMap(({ shares }) => [...shares]));
  const { rowGradients } = several ? await sessions.step(batch, { ...inputs, targets }) : first;
  const words = rowGradients.find(({ rows }) => rows === batch.ids)?.data ?? new Float32Array();
  const size = words.length / batch.rows;
  const out = new Float64Array(size);
  for (const [row, { attack }] of sides.entries()) {
    // The loss's gradient is P(attack) times that of the log odds.
    const factor = 1 / (batch.rows * Math.max(attack, 1e-12));
    for (let i = 0; i < size; i++) out[i] = (out[i] as number) + factor * (words[row * size + i] as number);
  }
  return out;
}

/** P(attack) of a row of logits, and the share of each benign label in 1 − P(attack). */
function sidesOf(
  logits: Float32Array,
  benign: readonly boolean[],
): { readonly shares: Float32Array; readonly attack: number } {
  const top = Math.max(...logits);
  const raised = logits.map((value) => Math.exp(value - top));
  const sum = raised.reduce((total, value) => total + value, 0);
  const calm = raised.reduce((total, value, i) => total + (benign[i] ? value : 0), 0);
  const shares = raised.map((value, i) => (benign[i] ? value / Math.max(calm, Number.MIN_VALUE) : 0));
  return { shares, attack: raised.reduce((total, value, i) => total + (benign[i] ? 0 : value / sum), 0) };
}
