/** A detector's figures on labelled texts: the same scorecard for held-out rows, gate suites and a caller's own file. */
import { EngineError } from "../error.ts";
import { type Scorecard, type ScoredRow, scorecard } from "../metrics/scorecard.ts";
import { utf16ToCodePoint } from "../tokenizers/offsets.ts";
import type { Detector } from "./detector.ts";
import { benignLabel } from "./labels.ts";

/** A labelled text. Rows of one group are near-duplicates and are resampled together. */
export interface LabelledText {
  readonly text: string;
  readonly label: string;
  readonly lang?: string;
  readonly source?: string;
  readonly group?: number;
}

/** Options of `evaluateDetector`. */
export interface EvaluateOptions {
  /** The rate of `recallAtFpr`. Default: the one that the threshold was chosen at. */
  readonly fpr?: number;
  /** Seed of the intervals. Default 1. */
  readonly seed?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Texts of one call: enough to fill runs, few enough that progress and cancelling are prompt. */
const CHUNK = 128;

/**
 * Scores rows with a detector. Where the rows' labels are not the detector's own, both become attack or benign.
 * @throws EngineError DATA without rows, CANCELLED when `signal` aborts.
 * @example
 * const card = await evaluateDetector(detector, rows, { onProgress: (done, total) => console.log(done / total) });
 */
export async function evaluateDetector(
  detector: Detector,
  rows: readonly LabelledText[],
  options: EvaluateOptions = {},
): Promise<Scorecard> {
  const { manifest } = detector;
  const isBinary = rows.some(({ label }) => !manifest.labels.includes(label));
  const labels = isBinary ? ["attack", benignLabel] : manifest.labels;
  const scored: ScoredRow[] = [];
  for (let from = 0; from < rows.length; from += CHUNK) {
    if (options.signal?.aborted) throw new EngineError("CANCELLED", "evaluation was cancelled");
    const chunk = rows.slice(from, from + CHUNK);
    const verdicts = await detector.verdicts(
      chunk.map(({ text }) => text),
      { signal: options.signal },
    );
    for (const [i, verdict] of verdicts.entries()) {
      const row = chunk[i];
      if (!row) continue;
      const { attackProbability: p } = verdict;
      const probabilities = isBinary ? [p, 1 - p] : labels.map((label) => verdict.probabilities[label] ?? 0);
      scored.push(scoredRow(row, probabilities, isBinary));
    }
    options.onProgress?.(Math.min(rows.length, from + CHUNK), rows.length);
  }
  return scorecard(scored, {
    labels,
    threshold: manifest.threshold,
    fpr: options.fpr ?? (manifest.thresholdFpr > 0 ? manifest.thresholdFpr : 0.01),
    seed: options.seed ?? 1,
    benign: isBinary ? benignLabel : (manifest.benignLabels[0] ?? benignLabel),
  });
}

/**
 * One row for the scorecard; its length is in code points.
 * @example
 * scoredRow({ text: "hi", label: "benign" }, [0, 0, 0, 0, 1], false).length; // 2
 */
export function scoredRow(row: LabelledText, probabilities: ArrayLike<number>, isBinary: boolean): ScoredRow {
  return {
    probabilities,
    label: isBinary && row.label !== benignLabel ? "attack" : row.label,
    length: utf16ToCodePoint(row.text)(row.text.length),
    ...(row.group === undefined ? {} : { group: row.group }),
    ...(row.lang === undefined ? {} : { language: row.lang }),
    ...(row.source === undefined ? {} : { source: row.source }),
  };
}
