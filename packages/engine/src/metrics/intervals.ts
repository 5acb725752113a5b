/** How sure is a figure? Bootstrap intervals (whole groups resampled) and Wilson's interval for rates. */
import { EngineError } from "../error.ts";
import { seededRandom } from "./seeded.ts";

/** A figure with its interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What to resample: `rows` rows, or whole near-duplicate groups of them (rows of a group are not independent). */
export interface BootstrapOptions {
  readonly rows: number;
  readonly groups?: ArrayLike<number>;
  readonly seed: number;
  readonly rounds?: number;
  readonly level?: number;
}

/**
 * Percentile bootstrap of a statistic of row weights (how often each row was drawn).
 * Rounds in which the statistic throws EngineError DATA (a class was not drawn) are left out.
 * @example
 * bootstrapInterval((w) => (w[0] ?? 0) / ((w[0] ?? 0) + (w[1] ?? 0)), { rows: 2, seed: 1 }).value; // 0.5
 */
export function bootstrapInterval(
  statistic: (weights: Float64Array) => number,
  { rows, groups, seed, rounds = 500, level = 0.95 }: BootstrapOptions,
): Interval {
  if (rows === 0) throw new EngineError("DATA", "an interval of no rows");
  const random = seededRandom(seed);
  const weights = new Float64Array(rows).fill(1);
  const value = statistic(weights);
  const clusters = clustersOf(rows, groups);
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) {
    weights.fill(0);
    for (let draw = 0; draw < clusters.length; draw++) {
      const cluster = clusters[Math.floor(random() * clusters.length)] ?? [];
      for (const row of cluster) weights[row] = (weights[row] ?? 0) + 1;
    }
    try {
      values.push(statistic(weights));
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== "DATA") throw error;
    }
  }
  values.sort((a, b) => a - b);
  const at = (share: number): number => values[Math.round(share * (values.length - 1))] ?? value;
  return { value, low: at((1 - level) / 2), high: at((1 + level) / 2) };
}

/**
 * Wilson's score interval of a rate, 95 % by default.
 * @throws EngineError DATA when `total` is 0.
 * @example
 * wilsonInterval(8, 10); // { value: 0.8, low: 0.490, high: 0.943 }
 */
export function wilsonInterval(hits: number, total: number, z = 1.959963984540054): Interval {
  if (total === 0) throw new EngineError("DATA", "a rate of no rows");
  const value = hits / total;
  const scale = 1 + (z * z) / total;
  const centre = (value + (z * z) / (2 * total)) / scale;
  const half = (z / scale) * Math.sqrt((value * (1 - value)) / total + (z * z) / (4 * total * total));
  return { value, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

function clustersOf(rows: number, groups: ArrayLike<number> | undefined): number[][] {
  const clusters = new Map<number, number[]>();
  for (let row = 0; row < rows; row++) {
    const key = groups?.[row] ?? row;
    const cluster = clusters.get(key);
    if (cluster) cluster.push(row);
    else clusters.set(key, [row]);
  }
  return [...clusters.values()];
}
