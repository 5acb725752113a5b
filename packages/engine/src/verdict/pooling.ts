/**
 * From window logits to one calibrated probability.
 * The likeliest window decides, but many windows are many chances of a false alarm: `penalty · ln(windows)`
 * is taken off its log odds, so that the false-positive rate does not grow with length.
 * Labels of a multi-label head are independent: each has its own sigmoid, and the likeliest attack label decides.
 */

/** What calibration fitted. */
export interface Calibration {
  /** Logits are divided by it. */
  readonly temperature: number;
  /** Log odds lost per ln(windows). */
  readonly poolingPenalty: number;
  /** The labels are independent of each other. */
  readonly multiLabel?: boolean;
}

/** One answer out of many windows. */
export interface Pooled {
  /** Index of the window with the highest log odds of an attack. */
  readonly window: number;
  /** Log odds of an attack after the length correction. */
  readonly logOdds: number;
  readonly attackProbability: number;
  /** By label, summing to 1; for a multi-label head each by itself. */
  readonly probabilities: Float64Array;
}

/**
 * Log odds of an attack of one window: ln P(attack) − ln P(benign); of a multi-label head those of its likeliest attack.
 * @param benign whether the label of each logit means no attack
 * @example
 * attackLogOdds(Float32Array.of(2, 0), [false, true], { temperature: 1 }); // 2
 */
export function attackLogOdds(
  logits: ArrayLike<number>,
  benign: readonly boolean[],
  { temperature, multiLabel = false }: Pick<Calibration, "temperature" | "multiLabel">,
): number {
  if (multiLabel) {
    return benign.reduce(
      (most, isBenign, i) => (isBenign ? most : Math.max(most, (logits[i] ?? 0) / temperature)),
      Number.NEGATIVE_INFINITY,
    );
  }
  return logSumExp(logits, temperature, (i) => !benign[i]) - logSumExp(logits, temperature, (i) => benign[i] === true);
}

/**
 * Pools the windows of a text.
 * @param windows logits of each window; at least one
 * @example
 * pool([Float32Array.of(2, 0), Float32Array.of(-1, 3)], [false, true], { temperature: 1, poolingPenalty: 0.5 });
 */
export function pool(windows: readonly ArrayLike<number>[], benign: readonly boolean[], by: Calibration): Pooled {
  let window = 0;
  let highest = Number.NEGATIVE_INFINITY;
  for (const [i, logits] of windows.entries()) {
    const odds = attackLogOdds(logits, benign, by);
    if (odds > highest) [window, highest] = [i, odds];
  }
  const penalty = by.poolingPenalty * Math.log(Math.max(1, windows.length));
  const logOdds = highest - penalty;
  const attackProbability = sigmoid(logOdds);
  if (by.multiLabel === true) {
    const probabilities = Float64Array.from(benign, (isBenign, i) =>
      isBenign
        ? sigmoid((windows[window]?.[i] ?? 0) / by.temperature)
        : sigmoid(Math.max(...windows.map((logits) => logits[i] ?? 0)) / by.temperature - penalty),
    );
    return { window, logOdds, attackProbability, probabilities };
  }
  const logits = windows[window] ?? [];
  const attackSum = logSumExp(logits, by.temperature, (i) => !benign[i]);
  const benignSum = logSumExp(logits, by.temperature, (i) => benign[i] === true);
  const probabilities = Float64Array.from(benign, (isBenign, i) => {
    const share = Math.exp((logits[i] ?? 0) / by.temperature - (isBenign ? benignSum : attackSum));
    return share * (isBenign ? 1 - attackProbability : attackProbability);
  });
  return { window, logOdds, attackProbability, probabilities };
}

/**
 * 1 / (1 + e^−x) without overflow.
 * @example
 * sigmoid(0); // 0.5
 */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/**
 * The inverse of `sigmoid`, finite at 0 and 1.
 * @example
 * logOddsOf(0.5); // 0
 */
export function logOddsOf(probability: number): number {
  const p = Math.min(1 - 1e-15, Math.max(1e-15, probability));
  return Math.log(p / (1 - p));
}

/**
 * Fits the penalty: the slope of the (1 − fpr) quantile of clean texts' log odds over ln(windows), at most 1.
 * A slope of 1 divides the odds by the number of windows (Bonferroni): more would hide attacks in long texts.
 * @param clean uncorrected log odds and window count of each clean text; lengths should vary widely
 * @returns a slope from 0 to 1; 0 when all texts have the same number of windows
 * @example
 * fitPoolingPenalty([{ logOdds: -4, windows: 1 }, { logOdds: -3, windows: 16 }], 0.01); // ≈ 0.36
 */
export function fitPoolingPenalty(clean: readonly { logOdds: number; windows: number }[], fpr: number): number {
  const groups = new Map<number, number[]>();
  for (const { logOdds, windows } of clean) {
    const bucket = Math.round(Math.log2(Math.max(1, windows)));
    groups.set(bucket, [...(groups.get(bucket) ?? []), logOdds]);
  }
  const points = [...groups].map(([bucket, odds]) => ({
    x: bucket * Math.LN2,
    y: quantile(odds, 1 - fpr),
    weight: odds.length,
  }));
  const total = points.reduce((sum, p) => sum + p.weight, 0);
  const meanX = points.reduce((sum, p) => sum + p.weight * p.x, 0) / total;
  const meanY = points.reduce((sum, p) => sum + p.weight * p.y, 0) / total;
  let covariance = 0;
  let variance = 0;
  for (const { x, y, weight } of points) {
    covariance += weight * (x - meanX) * (y - meanY);
    variance += weight * (x - meanX) ** 2;
  }
  return variance > 0 ? Math.min(1, Math.max(0, covariance / variance)) : 0;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? 0;
  return low + ((sorted[Math.ceil(at)] ?? low) - low) * (at - Math.floor(at));
}

function logSumExp(logits: ArrayLike<number>, temperature: number, has: (i: number) => boolean): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if (has(i)) largest = Math.max(largest, (logits[i] ?? 0) / temperature);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) if (has(i)) sum += Math.exp((logits[i] ?? 0) / temperature - largest);
  return largest + Math.log(sum);
}
