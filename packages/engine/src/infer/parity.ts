/** The gate between a quantised model and its original: how far logits moved, how many decisions flipped. */
import { EngineError } from "../error.ts";
import { loadTokenizer } from "../tokenizers/folder.ts";
import { createSession } from "./session.ts";

/** What may differ. */
export interface ParityBudget {
  /** Largest difference of any logit. Default 1. */
  readonly maxLogitDifference?: number;
  /** Largest share of texts whose likeliest label changes. Default 0.02. */
  readonly maxFlipRate?: number;
}

/** What did differ. A flip is a text whose likeliest label changed. */
export interface ParityReport {
  readonly texts: number;
  readonly largestLogitDifference: number;
  readonly meanLogitDifference: number;
  readonly flips: number;
}

/**
 * Compares two sets of logits.
 * @throws EngineError PARITY over budget, DATA when the sets differ in size.
 * @example
 * compareLogits([Float32Array.of(1, 0)], [Float32Array.of(0.9, 0)]).flips; // 0
 */
export function compareLogits(
  original: readonly Float32Array[],
  quantised: readonly Float32Array[],
  budget: ParityBudget = {},
): ParityReport {
  if (original.length !== quantised.length || original.length === 0) {
    const details = { expected: original.length, got: quantised.length };
    throw new EngineError("DATA", "parity needs two answers for each of at least one text", details);
  }
  let largest = 0;
  let sum = 0;
  let count = 0;
  let flips = 0;
  for (const [i, a] of original.entries()) {
    const b = quantised[i] ?? new Float32Array();
    for (const [j, value] of a.entries()) {
      const difference = Math.abs(value - (b[j] ?? Number.NaN));
      largest = difference > largest || Number.isNaN(difference) ? difference : largest;
      sum += difference;
      count++;
    }
    if (argmax(a) !== argmax(b)) flips++;
  }
  const report = {
    texts: original.length,
    largestLogitDifference: largest,
    meanLogitDifference: sum / count,
    flips,
  };
  const { maxLogitDifference = 1, maxFlipRate = 0.02 } = budget;
  if (!(largest <= maxLogitDifference) || flips > Math.floor(maxFlipRate * original.length)) {
    throw new EngineError("PARITY", "the quantised model answers too differently", {
      expected: { maxLogitDifference, maxFlipRate },
      got: report,
    });
  }
  return report;
}

/**
 * Runs both forms of a model folder over texts and compares them. Texts are cut at the model's length.
 * @throws EngineError PARITY over budget.
 * @example
 * const report = await parityGate("models/distilbert", rows.map((row) => row.text));
 */
export async function parityGate(
  folder: string,
  texts: readonly string[],
  options: ParityBudget & { readonly threads?: number } = {},
): Promise<ParityReport> {
  const tokenizer = await loadTokenizer(folder);
  const answers: Float32Array[][] = [];
  for (const precision of ["fp32", "int8"] as const) {
    const session = await createSession(folder, { precision, threads: options.threads ?? 0 });
    try {
      const limit = session.config.maxTokens - tokenizer.prefixIds.length - tokenizer.suffixIds.length;
      const rows = texts.map((text) => {
        const { ids } = tokenizer.encode(text, { addSpecials: false });
        return Int32Array.of(...tokenizer.prefixIds, ...ids.subarray(0, limit), ...tokenizer.suffixIds);
      });
      answers.push(await session.run(rows));
    } finally {
      await session.release();
    }
  }
  return compareLogits(answers[0] ?? [], answers[1] ?? [], options);
}

function argmax(values: Float32Array): number {
  let best = 0;
  for (const [i, value] of values.entries()) if (value > (values[best] ?? 0)) best = i;
  return best;
}
