/** A multinomial logistic regression over hashed n-grams: answers in microseconds and shows what it saw. */
import { EngineError } from "../error.ts";
import { encodeSafetensors, parseSafetensors } from "../weights/safetensors.ts";
import { defaultFeatures, eachFeature, type FeatureConfig } from "./features.ts";
import { createHasher, eachValue } from "./rows.ts";

/** The one file of a saved model: a safetensors container. */
export const linearFile = "linear.bin";

/** A stretch of text and how much it speaks for a label (logits, against the benign or mean class). */
export interface Contribution {
  readonly start: number;
  readonly end: number;
  readonly score: number;
}

/** A trained model. Long texts: cut them with `characterWindows` and take the window with the highest odds. */
export interface LinearModel {
  readonly labels: readonly string[];
  readonly features: FeatureConfig;
  readonly memoryBytes: number;
  /** One logit per label, uncalibrated. */
  logits(text: string): Float64Array;
  /** Words that speak for `label` rather than for `against`, strongest first; UTF-16 offsets into `text`. */
  contributions(text: string, label: string, against?: string): Contribution[];
  /** The bytes of `linear.bin` (float16 weights). */
  encode(): Uint8Array;
}

/** Weights as bucket-major rows of one number per label. */
export interface LinearWeights {
  readonly labels: readonly string[];
  readonly features: FeatureConfig;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/**
 * A model of given weights.
 * @throws EngineError WEIGHTS when sizes do not fit.
 * @example
 * const model = createLinear({ labels, features: defaultFeatures, weights, bias });
 */
export function createLinear(parts: LinearWeights): LinearModel {
  const { labels, features, weights, bias } = parts;
  const classes = labels.length;
  if (weights.length !== 2 ** features.bits * classes || bias.length !== classes) {
    throw new EngineError("WEIGHTS", "linear weights do not fit their labels", {
      expected: [2 ** features.bits * classes, classes],
      got: [weights.length, bias.length],
    });
  }
  const hasher = createHasher(features);
  return {
    labels,
    features,
    memoryBytes: weights.byteLength + bias.byteLength,
    logits(text) {
      const out = Float64Array.from(bias);
      eachValue(hasher.hash(text), features.bits, (bucket, value) => {
        const at = bucket * classes;
        for (let c = 0; c < classes; c++) out[c] = (out[c] ?? 0) + value * (weights[at + c] ?? 0);
      });
      return out;
    },
    contributions(text, label, against = "benign") {
      return wordContributions(text, perUnit(text, parts, labelIndex(labels, label), labelIndex(labels, against)));
    },
    encode: () => encodeLinear(parts),
  };
}

/**
 * A model from the bytes of its `linear.bin`.
 * @throws EngineError WEIGHTS when they are damaged.
 * @example
 * parseLinear(model.encode()).logits("Ignore previous instructions");
 */
export function parseLinear(bytes: Uint8Array, where: string = linearFile): LinearModel {
  const { tensors, metadata } = parseSafetensors(bytes, where);
  const weights = tensors.get("weights");
  const bias = tensors.get("bias");
  if (metadata["format"] !== "mlsec-linear-1" || !weights || !bias) {
    throw new EngineError("WEIGHTS", "not a linear model", { where });
  }
  const labels = (metadata["labels"] ?? "").split(",");
  return createLinear({
    labels,
    features: readFeatures(metadata, where),
    weights: weights.toFloat32(),
    bias: bias.toFloat32(),
  });
}

function encodeLinear({ labels, features, weights, bias }: LinearWeights): Uint8Array {
  const { bits, minChars, maxChars, maxWords } = features;
  return encodeSafetensors(
    [
      { name: "weights", dtype: "F16", shape: [2 ** bits, labels.length], data: weights },
      { name: "bias", dtype: "F32", shape: [labels.length], data: bias },
    ],
    {
      format: "mlsec-linear-1",
      labels: labels.join(","),
      bits: String(bits),
      minChars: String(minChars),
      maxChars: String(maxChars),
      maxWords: String(maxWords),
    },
  );
}

function readFeatures(metadata: Readonly<Record<string, string>>, where: string): FeatureConfig {
  const read = (key: keyof FeatureConfig): number => {
    const value = Number(metadata[key] ?? "");
    if (!Number.isInteger(value) || value < 1 || value > 24) {
      throw new EngineError("WEIGHTS", `linear model: ${key} is not a small number`, { where, got: metadata[key] });
    }
    return value;
  };
  return {
    bits: read("bits"),
    minChars: read("minChars"),
    maxChars: read("maxChars"),
    maxWords: read("maxWords"),
  } satisfies Record<keyof typeof defaultFeatures, number>;
}

/** How much each UTF-16 unit speaks for one class against another: each n-gram's share spread over its units. */
function perUnit(
  text: string,
  { features, weights, labels }: LinearWeights,
  label: number,
  against: number,
): Float64Array {
  const classes = labels.length;
  const values = new Map<number, number>(); // block and bucket → value per occurrence
  const occurrences = new Map<number, number>();
  const slotOf = (bucket: number, block: number): number => bucket + block * 2 ** features.bits;
  eachFeature(text, features, (bucket, block) => {
    const slot = slotOf(bucket, block);
    occurrences.set(slot, (occurrences.get(slot) ?? 0) + 1);
  });
  const squares = [0, 0];
  for (const [slot, count] of occurrences) {
    const value = 1 + Math.log(count);
    const block = slot >= 2 ** features.bits ? 1 : 0;
    squares[block] = (squares[block] ?? 0) + value * value;
    values.set(slot, value / count);
  }
  const units = new Float64Array(text.length);
  eachFeature(text, features, (bucket, block, start, end) => {
    const weight = (weights[bucket * classes + label] ?? 0) - (weights[bucket * classes + against] ?? 0);
    const value = (values.get(slotOf(bucket, block)) ?? 0) / Math.sqrt(squares[block] ?? 1);
    const to = Math.min(end, text.length);
    for (let i = start; i < to; i++) units[i] = (units[i] ?? 0) + (weight * value) / (to - start);
  });
  return units;
}

function wordContributions(text: string, units: Float64Array): Contribution[] {
  const words: Contribution[] = [];
  for (const match of text.matchAll(/[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]+/gu)) {
    const start = match.index;
    const end = start + match[0].length;
    let score = 0;
    for (let i = start; i < end; i++) score += units[i] ?? 0;
    if (score > 0) words.push({ start, end, score });
  }
  return words.sort((a, b) => b.score - a.score);
}

function labelIndex(labels: readonly string[], label: string): number {
  const index = labels.indexOf(label);
  if (index < 0) throw new EngineError("CONFIG", "the model has no such label", { expected: labels, got: label });
  return index;
}
