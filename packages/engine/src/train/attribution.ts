/**
 * Which tokens speak for an attack: gradient times input of the log odds, through the graph that training uses and the
 * weights that are served. https://arxiv.org/abs/1412.6815
 */
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { readModelConfig } from "../models/registry.ts";
import { loadTokenizer } from "../tokenizers/folder.ts";
import { readWeights } from "../weights/folder.ts";
import { dequantise } from "../weights/int8.ts";
import type { WeightTensor } from "../weights/safetensors.ts";
import { readSafetensors } from "../weights/safetensors-file.ts";
import { padBatch } from "./batch.ts";
import { createDropoutPool } from "./dropout.ts";
import { openEncoder } from "./encoder.ts";
import { parametersOf } from "./parameters.ts";

/** One token of a text and what it adds to the log odds of an attack, to first order. Offsets are UTF-16. */
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
  const masks = createDropoutPool(0).at(0, 0);
  const { prefixIds, suffixIds } = tokenizer;
  const room = Math.min(options.windowTokens ?? 128, maxTokens) - prefixIds.length - suffixIds.length;

  const attributeWindow = async (ids: Int32Array): Promise<Float32Array> => {
    const window = Int32Array.of(...prefixIds, ...ids, ...suffixIds);
    const batch = padBatch([window], [0], padId);
    const logits = await sessions.logits(batch);
    const { targets, attack } = towardBenign(logits, benign);
    const { rowGradients } = await sessions.step(batch, { targets, masks });
    const words = rowGradients.find(({ rows }) => rows === batch.ids);
    const out = new Float32Array(ids.length);
    if (words === undefined) return out;
    const vectors = parameters.get(words.table)?.data ?? new Float32Array();
    const width = words.data.length / window.length;
    for (const [i, id] of ids.entries()) {
      const at = (i + prefixIds.length) * width;
      let sum = 0;
      for (let k = 0; k < width; k++) sum += (words.data[at + k] ?? 0) * (vectors[id * width + k] ?? 0);
      out[i] = sum / Math.max(attack, 1e-12);
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

/**
 * Targets whose cross-entropy is −log P(benign), each benign label by its own share, and P(attack): the gradient of that
 * loss is P(attack) times the gradient of the attack's log odds.
 */
function towardBenign(
  logits: Float32Array,
  benign: readonly boolean[],
): { readonly targets: Float32Array; readonly attack: number } {
  const top = Math.max(...logits);
  const raised = logits.map((value) => Math.exp(value - top));
  const sum = raised.reduce((total, value) => total + value, 0);
  const calm = raised.reduce((total, value, i) => total + (benign[i] ? value : 0), 0);
  const targets = raised.map((value, i) => (benign[i] ? value / Math.max(calm, Number.MIN_VALUE) : 0));
  return { targets, attack: raised.reduce((total, value, i) => total + (benign[i] ? 0 : value / sum), 0) };
}
