/** The scorecard: every figure about one detector on one held-out set, as one JSON object. */
import { EngineError } from "../error.ts";
import { brier, ece } from "./calibration.ts";
import { accuracy, type ClassFigures, confusionMatrix, macroF1, perClass } from "./classes.ts";
import { bootstrapInterval, type Interval, wilsonInterval } from "./intervals.ts";
import { recallAtFpr, rocAuc, scoreOrder } from "./ranking.ts";

/** One evaluated text. `probabilities` are calibrated, in the order of the labels. */
export interface ScoredRow {
  readonly probabilities: ArrayLike<number>;
  readonly label: string;
  readonly group?: number;
  readonly length?: number;
  readonly language?: string;
  readonly source?: string;
}

/** What the figures are taken at. `threshold` is the version's own; `fpr` the rate for recall at a fixed rate. */
export interface ScorecardOptions {
  readonly labels: readonly string[];
  readonly threshold: number;
  readonly fpr?: number;
  readonly seed?: number;
  readonly rounds?: number;
  /** The label that is no attack. */
  readonly benign?: string;
}

/** Figures of a part of the rows; a rate without rows is null. */
export interface SliceFigures {
  readonly rows: number;
  readonly attacks: number;
  readonly benign: number;
  readonly detectionRate: Interval | null;
  readonly falsePositiveRate: Interval | null;
}

/** All figures. Intervals are 95 %: bootstrap over groups for whole-set figures, Wilson for the slices' rates. */
export interface Scorecard {
  readonly format: 1;
  readonly rows: number;
  readonly groups: number;
  readonly attacks: number;
  readonly benign: number;
  readonly labels: readonly string[];
  readonly threshold: number;
  readonly accuracy: Interval;
  readonly macroF1: Interval;
  readonly rocAuc: Interval | null;
  readonly recallAtFpr: (Interval & { readonly fpr: number }) | null;
  readonly detectionRate: Interval | null;
  readonly falsePositiveRate: Interval | null;
  readonly ece: number;
  readonly brier: number;
  readonly perClass: Readonly<Record<string, ClassFigures>>;
  /** [truth][prediction] in the order of `labels`. */
  readonly confusion: readonly (readonly number[])[];
  readonly slices: Readonly<Record<"language" | "length" | "source", Readonly<Record<string, SliceFigures>>>>;
}

const LENGTHS: readonly (readonly [number, string])[] = [
  [60, "≤ 60"],
  [200, "61–200"],
  [600, "201–600"],
  [2000, "601–2000"],
  [6000, "2001–6000"],
  [Number.POSITIVE_INFINITY, "> 6000"],
];

/**
 * Builds the scorecard of scored rows. A text is predicted benign below the threshold, else its likeliest attack.
 * @throws EngineError DATA when there are no rows or a label is unknown.
 * @example
 * scorecard([{ probabilities: [0.9, 0.1], label: "attack" }], { labels: ["attack", "benign"], threshold: 0.5 });
 */
export function scorecard(rows: readonly ScoredRow[], options: ScorecardOptions): Scorecard {
  const { labels, threshold, fpr = 0.01, seed = 1, rounds = 300, benign = "benign" } = options;
  if (rows.length === 0) throw new EngineError("DATA", "a scorecard of no rows");
  const table = tabulate(rows, labels, benign, threshold);
  const { truth, predicted, scores, isAttack, isFlagged, groups } = table;
  const order = scoreOrder(scores);
  const attacks = isAttack.reduce((sum, flag) => sum + flag, 0);
  const hasBoth = attacks > 0 && attacks < rows.length;
  const resampled = (statistic: (weights: Float64Array) => number): Interval =>
    bootstrapInterval(statistic, { rows: rows.length, groups, seed, rounds });
  return {
    format: 1,
    rows: rows.length,
    groups: new Set(groups).size,
    attacks,
    benign: rows.length - attacks,
    labels,
    threshold,
    accuracy: resampled((weights) => accuracy(truth, predicted, weights)),
    macroF1: resampled((weights) => macroF1(truth, predicted, labels.length, weights)),
    rocAuc: hasBoth ? resampled((weights) => rocAuc(scores, isAttack, { weights, order })) : null,
    recallAtFpr: hasBoth
      ? { fpr, ...resampled((weights) => recallAtFpr(scores, isAttack, fpr, { weights, order })) }
      : null,
    detectionRate: attacks > 0 ? resampled((weights) => flaggedShare(isFlagged, isAttack, 1, weights)) : null,
    falsePositiveRate:
      attacks < rows.length ? resampled((weights) => flaggedShare(isFlagged, isAttack, 0, weights)) : null,
    ece: ece(scores, isAttack),
    brier: brier(scores, isAttack),
    perClass: Object.fromEntries(
      perClass(truth, predicted, labels.length).map((figures, c) => [labels[c] ?? String(c), figures]),
    ),
    confusion: confusionMatrix(truth, predicted, labels.length),
    slices: {
      language: slicesBy(rows, table, (row) => row.language),
      length: slicesBy(rows, table, lengthName),
      source: slicesBy(rows, table, (row) => row.source),
    },
  };
}

interface Table {
  readonly truth: Int32Array;
  readonly predicted: Int32Array;
  readonly scores: Float64Array;
  readonly isAttack: Uint8Array;
  readonly isFlagged: Uint8Array;
  readonly groups: Int32Array;
}

function tabulate(rows: readonly ScoredRow[], labels: readonly string[], benign: string, threshold: number): Table {
  const benignIndex = labels.indexOf(benign);
  if (benignIndex < 0) throw new EngineError("DATA", "the labels lack the benign one", { expected: benign });
  const table: Table = {
    truth: new Int32Array(rows.length),
    predicted: new Int32Array(rows.length),
    scores: new Float64Array(rows.length),
    isAttack: new Uint8Array(rows.length),
    isFlagged: new Uint8Array(rows.length),
    groups: new Int32Array(rows.length),
  };
  for (const [i, row] of rows.entries()) {
    const label = labels.indexOf(row.label);
    if (label < 0) throw new EngineError("DATA", "unknown label", { where: `row ${i}`, got: row.label });
    const score = 1 - (row.probabilities[benignIndex] ?? 0);
    const isFlagged = score >= threshold;
    table.truth[i] = label;
    table.scores[i] = score;
    table.isAttack[i] = label === benignIndex ? 0 : 1;
    table.isFlagged[i] = isFlagged ? 1 : 0;
    table.predicted[i] = isFlagged ? likeliestAttack(row.probabilities, benignIndex) : benignIndex;
    table.groups[i] = row.group ?? -1 - i;
  }
  return table;
}

function likeliestAttack(probabilities: ArrayLike<number>, benignIndex: number): number {
  let best = benignIndex === 0 ? 1 : 0;
  for (let c = 0; c < probabilities.length; c++) {
    if (c !== benignIndex && (probabilities[c] ?? 0) > (probabilities[best] ?? 0)) best = c;
  }
  return best;
}

function flaggedShare(isFlagged: Uint8Array, isAttack: Uint8Array, kind: 0 | 1, weights: Float64Array): number {
  let total = 0;
  let flagged = 0;
  for (let i = 0; i < isAttack.length; i++) {
    if (isAttack[i] !== kind) continue;
    total += weights[i] ?? 0;
    if (isFlagged[i] === 1) flagged += weights[i] ?? 0;
  }
  if (total === 0) throw new EngineError("DATA", "a rate of no rows");
  return flagged / total;
}

function lengthName({ length }: ScoredRow): string | undefined {
  return length === undefined ? undefined : LENGTHS.find(([limit]) => length <= limit)?.[1];
}

function slicesBy(
  rows: readonly ScoredRow[],
  { isAttack, isFlagged }: Table,
  nameOf: (row: ScoredRow) => string | undefined,
): Record<string, SliceFigures> {
  const parts = new Map<string, { attacks: number; benign: number; detected: number; falseAlarms: number }>();
  for (const [i, row] of rows.entries()) {
    const name = nameOf(row);
    if (name === undefined) continue;
    const part = parts.get(name) ?? { attacks: 0, benign: 0, detected: 0, falseAlarms: 0 };
    parts.set(name, part);
    if (isAttack[i] === 1) {
      part.attacks += 1;
      part.detected += isFlagged[i] ?? 0;
    } else {
      part.benign += 1;
      part.falseAlarms += isFlagged[i] ?? 0;
    }
  }
  const bySize = [...parts].sort(([, a], [, b]) => b.attacks + b.benign - a.attacks - a.benign);
  return Object.fromEntries(
    bySize.map(([name, { attacks, benign, detected, falseAlarms }]) => [
      name,
      {
        rows: attacks + benign,
        attacks,
        benign,
        detectionRate: attacks === 0 ? null : wilsonInterval(detected, attacks),
        falsePositiveRate: benign === 0 ? null : wilsonInterval(falseAlarms, benign),
      },
    ]),
  );
}
