/** What a larger classifier thinks of texts, as targets for a smaller one to learn from. https://arxiv.org/abs/1503.02531 */
import { EngineError } from "../error.ts";
import { loadTokenizer } from "../tokenizers/folder.ts";
import { createSession } from "./session.ts";

/** Options of `teach`. */
export interface TeachOptions {
  /** Labels the student learns, which must be the teacher's own in the same order. */
  readonly labels: readonly string[];
  /** The label that means no attack. */
  readonly benignLabel: string;
  /** Softens the teacher's probabilities. Default 2. */
  readonly temperature?: number;
  /** Tokens of a window; default 128 or the teacher's longest input. */
  readonly windowTokens?: number;
  readonly precision?: "fp32" | "int8";
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Texts scored in one go between two looks at the signal. */
const chunk = 64;

/**
 * Probabilities (labels) of each text at a temperature. A long text is read in half-overlapping windows and speaks
 * through the one least sure that it is benign, as in training.
 * @throws EngineError CONFIG when the teacher has other labels, WEIGHTS or TOKENIZER when its folder is incomplete,
 *   CANCELLED when `signal` fires.
 * @example
 * const soft = await teach("models/distilbert", texts, { labels, benignLabel: "benign", temperature: 2 });
 * const rows = texts.map((text, i) => ({ text, label: truth[i], soft: soft[i] }));
 */
export async function teach(folder: string, texts: readonly string[], options: TeachOptions): Promise<Float32Array[]> {
  const { labels, benignLabel, temperature = 2, precision = "fp32", threads = 0, signal } = options;
  const tokenizer = await loadTokenizer(folder);
  const session = await createSession(folder, { precision, threads });
  try {
    if (session.config.labels.join() !== labels.join()) {
      const details = { where: folder, expected: labels, got: session.config.labels };
      throw new EngineError("CONFIG", "a teacher must have the student's labels in the same order", details);
    }
    const { prefixIds, suffixIds } = tokenizer;
    const longest = Math.min(options.windowTokens ?? 128, session.config.maxTokens);
    const room = longest - prefixIds.length - suffixIds.length;
    const benign = labels.indexOf(benignLabel);
    const out: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += chunk) {
      if (signal?.aborted) throw new EngineError("CANCELLED", "teaching was cancelled", {}, { cause: signal.reason });
      const windows = texts.slice(from, from + chunk).map((text) => {
        const { ids } = tokenizer.encode(text, { addSpecials: false });
        const count = 1 + Math.ceil(Math.max(0, ids.length - room) / Math.max(1, room >> 1));
        return Array.from({ length: count }, (_, i) => {
          const start = Math.min(i * (room >> 1), Math.max(0, ids.length - room));
          return Int32Array.of(...prefixIds, ...ids.subarray(start, start + room), ...suffixIds);
        });
      });
      const logits = await session.run(windows.flat());
      let next = 0;
      for (const own of windows) {
        const soft = logits.slice(next, next + own.length).map((values) => softened(values, temperature));
        next += own.length;
        out.push(soft.reduce((a, b) => ((b[benign] ?? 0) < (a[benign] ?? 0) ? b : a)));
      }
      options.onProgress?.(out.length, texts.length);
    }
    return out;
  } finally {
    await session.release();
  }
}

function softened(logits: Float32Array, temperature: number): Float32Array {
  const top = Math.max(...logits);
  const raised = logits.map((value) => Math.exp((value - top) / temperature));
  const sum = raised.reduce((total, value) => total + value, 0);
  return raised.map((value) => value / sum);
}
