/** Metrics of predicted classes. Classes are indices 0 … classes-1; inputs are parallel arrays. */
import { EngineError } from "../error.ts";

/** Figures of one class. A figure whose denominator is empty is 0, as in scikit-learn. */
export interface ClassFigures {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly support: number;
}

/**
 * Counts `[truth][prediction]`, classes × classes.
 * @throws EngineError DATA when lengths differ, or a class lies outside.
 * @example
 * confusionMatrix([0, 1], [0, 0], 2); // [[1, 0], [1, 0]]
 */
export function confusionMatrix(truth: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number[][] {
  requireSameLength(truth, predicted);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < truth.length; i++) {
    const row = counts[truth[i] ?? -1];
    const column = predicted[i] ?? -1;
    if (!row || !(column in row)) {
      throw new EngineError("DATA", "a class lies outside the matrix", { expected: classes, got: [truth[i], column] });
    }
    row[column] = (row[column] ?? 0) + 1;
  }
  return counts;
}

/**
 * Share of equal pairs; `weights` counts each row that often (for resampling).
 * @throws EngineError DATA when there are no rows.
 * @example
 * accuracy([0, 1], [0, 0]); // 0.5
 */
export function accuracy(truth: ArrayLike<number>, predicted: ArrayLike<number>, weights?: ArrayLike<number>): number {
  requireSameLength(truth, predicted);
  let total = 0;
  let right = 0;
  for (let i = 0; i < truth.length; i++) {
    const weight = weights ? (weights[i] ?? 0) : 1;
    total += weight;
    if (truth[i] === predicted[i]) right += weight;
  }
  if (total === 0) throw new EngineError("DATA", "accuracy of no rows");
  return right / total;
}

/**
 * Precision, recall, F1 and support of every class.
 * @example
 * perClass([0, 1], [0, 0], 2)[0]; // { precision: 0.5, recall: 1, f1: 0.667, support: 1 }
 */
export function perClass(
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
  weights?: ArrayLike<number>,
): ClassFigures[] {
  requireSameLength(truth, predicted);
  const hits = new Float64Array(classes);
  const truths = new Float64Array(classes);
  const guesses = new Float64Array(classes);
  for (let i = 0; i < truth.length; i++) {
    const weight = weights ? (weights[i] ?? 0) : 1;
    const t = truth[i] ?? 0;
    const p = predicted[i] ?? 0;
    truths[t] = (truths[t] ?? 0) + weight;
    guesses[p] = (guesses[p] ?? 0) + weight;
    if (t === p) hits[t] = (hits[t] ?? 0) + weight;
  }
  return Array.from({ length: classes }, (_, c) => {
    const hit = hits[c] ?? 0;
    const support = truths[c] ?? 0;
    const guessed = guesses[c] ?? 0;
    return {
      precision: guessed === 0 ? 0 : hit / guessed,
      recall: support === 0 ? 0 : hit / support,
      f1: support + guessed === 0 ? 0 : (2 * hit) / (support + guessed),
      support,
    };
  });
}

/**
 * Mean F1 over the classes that occur in truth or prediction.
 * @example
 * macroF1([0, 1], [0, 1], 2); // 1
 */
export function macroF1(
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
  weights?: ArrayLike<number>,
): number {
  const figures = perClass(truth, predicted, classes, weights);
  const occurring = figures.filter(({ support, precision }) => support > 0 || precision > 0);
  if (occurring.length === 0) throw new EngineError("DATA", "F1 of no rows");
  return occurring.reduce((sum, { f1 }) => sum + f1, 0) / occurring.length;
}

function requireSameLength(a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length !== b.length) {
    throw new EngineError("DATA", "truth and prediction differ in length", { expected: a.length, got: b.length });
  }
}
