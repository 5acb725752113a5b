/** Are probabilities what they claim? Calibration error, Brier score, and the temperature that mends a softmax. */
import { EngineError } from "../error.ts";
import type { Flags } from "./ranking.ts";

/**
 * Expected calibration error of P(attack): mean gap between claimed and true share over equal-width bins.
 * @example
 * ece([1, 1, 0], [1, 0, 0]); // 1/3
 */
export function ece(probabilities: ArrayLike<number>, isAttack: Flags, bins = 15): number {
  requireRows(probabilities.length);
  const counts = new Float64Array(bins);
  const claimed = new Float64Array(bins);
  const actual = new Float64Array(bins);
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i] ?? 0;
    const bin = Math.min(bins - 1, Math.floor(p * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
    claimed[bin] = (claimed[bin] ?? 0) + p;
    actual[bin] = (actual[bin] ?? 0) + (isAttack[i] ? 1 : 0);
  }
  let gap = 0;
  for (let bin = 0; bin < bins; bin++) gap += Math.abs((claimed[bin] ?? 0) - (actual[bin] ?? 0));
  return gap / probabilities.length;
}

/**
 * Mean squared error of P(attack).
 * @example
 * brier([0.5], [1]); // 0.25
 */
export function brier(probabilities: ArrayLike<number>, isAttack: Flags): number {
  requireRows(probabilities.length);
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) sum += ((probabilities[i] ?? 0) - (isAttack[i] ? 1 : 0)) ** 2;
  return sum / probabilities.length;
}

/**
 * Softmax of `logits / temperature` for every row of `classes` logits; returns rows × classes.
 * @example
 * softmax([0, 0], 2); // [0.5, 0.5]
 */
export function softmax(logits: ArrayLike<number>, classes: number, temperature = 1): Float64Array {
  const out = new Float64Array(logits.length);
  for (let row = 0; row < logits.length; row += classes) {
    let top = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) top = Math.max(top, logits[row + c] ?? 0);
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      const weight = Math.exp(((logits[row + c] ?? 0) - top) / temperature);
      out[row + c] = weight;
      sum += weight;
    }
    for (let c = 0; c < classes; c++) out[row + c] = (out[row + c] ?? 0) / sum;
  }
  return out;
}

/**
 * The temperature in [0.05, 20] with the smallest log loss of softmax(logits / T): held-out rows × classes against
 * class indices. The loss has one minimum in T, found by golden-section search. Source: arXiv 1706.04599.
 * @throws EngineError DATA when rows are missing or lengths do not fit.
 * @example
 * fitTemperature([10, 0, 10, 0], [0, 1]); // 20: sure of itself and right half the time
 */
export function fitTemperature(logits: ArrayLike<number>, labels: ArrayLike<number>): number {
  requireRows(labels.length);
  const classes = logits.length / labels.length;
  if (!Number.isInteger(classes) || classes < 2) {
    throw new EngineError("DATA", "logits do not fit the labels", { got: [logits.length, labels.length] });
  }
  const lossAt = (logTemperature: number): number => logLoss(logits, labels, classes, Math.exp(logTemperature));
  const ratio = (Math.sqrt(5) - 1) / 2;
  let low = Math.log(0.05);
  let high = Math.log(20);
  let left = high - ratio * (high - low);
  let right = low + ratio * (high - low);
  let leftLoss = lossAt(left);
  let rightLoss = lossAt(right);
  for (let i = 0; i < 40; i++) {
    if (leftLoss < rightLoss) {
      [high, right, rightLoss] = [right, left, leftLoss];
      left = high - ratio * (high - low);
      leftLoss = lossAt(left);
    } else {
      [low, left, leftLoss] = [left, right, rightLoss];
      right = low + ratio * (high - low);
      rightLoss = lossAt(right);
    }
  }
  return Math.exp((low + high) / 2);
}

function logLoss(logits: ArrayLike<number>, labels: ArrayLike<number>, classes: number, temperature: number): number {
  let loss = 0;
  for (let row = 0; row < labels.length; row++) {
    const at = row * classes;
    let top = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) top = Math.max(top, logits[at + c] ?? 0);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(((logits[at + c] ?? 0) - top) / temperature);
    loss += Math.log(sum) - ((logits[at + (labels[row] ?? 0)] ?? 0) - top) / temperature;
  }
  return loss / labels.length;
}

function requireRows(count: number): void {
  if (count === 0) throw new EngineError("DATA", "calibration of no rows");
}
