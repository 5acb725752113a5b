/** Packs token sequences of different lengths into runs that waste little on padding. */

/** Limits of one run. `maxTokens` counts padding: rows × longest row. */
export interface PackLimits {
  readonly maxTokens: number;
  /** A run is closed early when its next row is shorter than this share of its longest. Default 0.75. */
  readonly minFill?: number;
}

/** Tokens of one run unless it is said otherwise: what it computes still fits the processor's caches (decision 53). */
export const runTokens = 640;

/** From here on a larger run is no faster per token, so a run may be closed to save padding. */
const EFFICIENT_TOKENS = 768;

/**
 * Groups indices into runs, longest rows first; every index appears exactly once.
 * A row longer than the budget gets a run of its own.
 * @param lengths tokens of each row
 * @example
 * packRuns([3, 9, 4], { maxTokens: 10 }); // [[1], [2, 0]]
 */
export function packRuns(lengths: readonly number[], limits: PackLimits): number[][] {
  const minFill = limits.minFill ?? 0.75;
  const order = lengths.map((_, i) => i).sort((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0) || a - b);
  const runs: number[][] = [];
  let run: number[] = [];
  let longest = 0;
  for (const index of order) {
    const length = lengths[index] ?? 0;
    const full = (run.length + 1) * longest > limits.maxTokens;
    const wasteful = run.length * longest >= EFFICIENT_TOKENS && length < longest * minFill;
    if (run.length > 0 && (full || wasteful)) {
      runs.push(run);
      run = [];
    }
    if (run.length === 0) longest = length;
    run.push(index);
  }
  if (run.length > 0) runs.push(run);
  return runs;
}
