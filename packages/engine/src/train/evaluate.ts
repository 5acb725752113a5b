/** Held-out evaluation: every row through covering windows, length sorted, pooled to its most attack-like window. */
import { accuracy, macroF1 } from "../metrics/classes.ts";
import { coveringWindows, type EncodedRow, padBatch, type Specials, splitByBudget } from "./batch.ts";
import type { TrainConfig } from "./config.ts";
import type { EncoderSessions } from "./encoder.ts";
import { measureIndependent } from "./independent.ts";

/** Logits of windows, and what they say about the rows. */
export interface Evaluation {
  /** (windows, labels) */
  readonly logits: Float32Array;
  /** Row of every window. */
  readonly rows: readonly number[];
  readonly metrics: { readonly loss: number; readonly accuracy: number; readonly macroF1: number };
}

/** What an evaluation needs beside the rows. */
export interface EvaluationOptions {
  readonly sessions: EncoderSessions;
  readonly specials: Specials;
  readonly config: TrainConfig;
  readonly signal?: AbortSignal | undefined;
}

/** Runs the forward graph over all rows. Stops early, with fewer windows, only by throwing the signal's reason. */
export async function evaluate(rows: readonly EncodedRow[], options: EvaluationOptions): Promise<Evaluation> {
  const { sessions, specials, config, signal } = options;
  const classes = config.labels.length;
  const owners: number[] = [];
  const windows: Int32Array[] = [];
  for (const [i, row] of rows.entries()) {
    for (const window of coveringWindows(row, specials, config.maxLength, config.maxEvalWindows)) {
      owners.push(i);
      windows.push(window);
    }
  }
  const lengths = windows.map((window) => window.length);
  const logits = new Float32Array(windows.length * classes);
  const all = windows.map((_, i) => i);
  for (const part of splitByBudget(all, lengths, config.tokenBudget)) {
    signal?.throwIfAborted();
    const batch = padBatch(
      part.map((i) => windows[i] ?? new Int32Array()),
      part,
      specials.padId,
    );
    const out = await sessions.logits(batch);
    for (const [at, i] of part.entries()) logits.set(out.subarray(at * classes, (at + 1) * classes), i * classes);
    await new Promise(setImmediate);
  }
  return { logits, rows: owners, metrics: measure(rows, logits, owners, config) };
}

/** Metrics over rows; a row speaks through the window with the lowest benign probability. */
function measure(rows: readonly EncodedRow[], logits: Float32Array, owners: readonly number[], config: TrainConfig) {
  if (rows.length === 0) return { loss: Number.NaN, accuracy: Number.NaN, macroF1: Number.NaN };
  if (config.multiLabel) return measureIndependent(rows, logits, owners, config);
  const classes = config.labels.length;
  const benign = config.labels.indexOf(config.benignLabel);
  const lowest = new Float64Array(rows.length).fill(Number.POSITIVE_INFINITY);
  const predicted = new Int32Array(rows.length);
  const losses = new Float64Array(rows.length);
  for (const [window, row] of owners.entries()) {
    const own = logits.subarray(window * classes, (window + 1) * classes);
    const top = own.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const logSum = top + Math.log(own.reduce((sum, value) => sum + Math.exp(value - top), 0));
    const calm = (own[benign] ?? 0) - logSum;
    if (calm >= (lowest[row] ?? 0)) continue;
    lowest[row] = calm;
    predicted[row] = own.indexOf(top);
    losses[row] = logSum - (own[rows[row]?.label ?? 0] ?? 0);
  }
  const truth = Int32Array.from(rows, (row) => row.label);
  const loss = losses.reduce((sum, value) => sum + value, 0) / Math.max(1, rows.length);
  return { loss, accuracy: accuracy(truth, predicted), macroF1: macroF1(truth, predicted, classes) };
}
