/** Fits a cascade's band on rows that both detectors judged, and says how it does on others. */
import { EngineError } from "../error.ts";
import { type Interval, wilsonInterval } from "../metrics/intervals.ts";
import { type Band, type CascadeFigures, isSure } from "./cascade.ts";
import type { DetectorVerdict } from "./detector.ts";

/** One text as both detectors see it. */
export interface CascadeRow {
  /** Length in UTF-16 units. */
  readonly chars: number;
  readonly student: DetectorVerdict;
  readonly full: DetectorVerdict;
}

/** What a band must keep. */
export interface FitBandOptions {
  /** Least agreement of the cascade's decisions with the full detector's on eligible rows: lower end of its 95 % interval. */
  readonly target: number;
  /** Least share of the full detector's attacks that the cascade still flags, among the rows the student may answer. */
  readonly kept: number;
  readonly maxChars: number;
  /** The student's own threshold: `lower` stays below it. */
  readonly studentThreshold: number;
  /** Whether the student may also say that a text is an attack. Default false: every alarm is the full detector's. */
  readonly alarms?: boolean;
}

/**
 * The widest band that keeps both promises. A side that cannot keep them stays closed: `lower` is 0, or `upper` null.
 * @throws EngineError DATA when no row may be answered by the student.
 * @example
 * fitBand(rows, { target: 0.995, kept: 0.99, maxChars: 480, studentThreshold: 0.38 });
 */
export function fitBand(rows: readonly CascadeRow[], options: FitBandOptions): Band {
  const { target, kept, maxChars, studentThreshold, alarms = false } = options;
  const eligible = rows.filter((row) => isEligible(row, maxChars));
  const [first] = eligible;
  if (!first) throw new EngineError("DATA", "no row is short enough for the student", { expected: maxChars });
  const attacks = eligible.filter(({ full }) => full.isAttack).length;
  const rising = eligible.toSorted((a, b) => a.student.attackProbability - b.student.attackProbability);
  const limit = Math.min(studentThreshold, first.full.threshold);
  const allowed = mostWrong(eligible.length, target);
  const lower = furthest(rising, {
    isRight: ({ full }) => !full.isAttack,
    isInside: (p) => p < limit,
    mostWrong: Math.min(allowed, Math.floor((1 - kept) * attacks)),
  });
  if (!alarms) return { lower: lower?.probability ?? 0, upper: null, maxChars };
  const floor = Math.max(studentThreshold, first.full.threshold);
  const upper = furthest(rising.toReversed(), {
    isRight: ({ full }) => full.isAttack,
    isInside: (p) => p >= floor,
    mostWrong: allowed - (lower?.wrong ?? 0),
  });
  return { lower: lower?.probability ?? 0, upper: upper?.probability ?? null, maxChars };
}

/**
 * How a band does on rows of one kind. A rate of nothing is 1, with an interval from 0 to 1.
 * @example
 * cascadeFigures(heldOut, band).agreement; // { value: 0.999, low: 0.997, high: 1 }
 */
export function cascadeFigures(rows: readonly CascadeRow[], band: Band): CascadeFigures {
  const eligible = rows.filter((row) => isEligible(row, band.maxChars));
  const answered = eligible.filter(({ student }) => isSure(student, band));
  const agreeing = answered.filter(({ student, full }) => student.attackProbability > band.lower === full.isAttack);
  const attacks = eligible.filter(({ full }) => full.isAttack);
  const cleared = attacks.filter(({ student }) => isSure(student, band) && student.attackProbability <= band.lower);
  return {
    rows: rows.length,
    eligible: eligible.length,
    share: rateOf(answered.length, eligible.length),
    agreement: rateOf(eligible.length - answered.length + agreeing.length, eligible.length),
    sure: rateOf(agreeing.length, answered.length),
    kept: rateOf(attacks.length - cleared.length, attacks.length),
  };
}

interface Side {
  readonly isRight: (row: CascadeRow) => boolean;
  readonly isInside: (probability: number) => boolean;
  readonly mostWrong: number;
}

/** How many of so many decisions may differ. Negative: none may be decided at all. */
function mostWrong(total: number, target: number): number {
  let wrong = -1;
  while (wrong < total && wilsonInterval(total - wrong - 1, total).low >= target) wrong++;
  return wrong;
}

/** The last probability, going inwards from the sure end, up to which the side keeps its promise. */
function furthest(
  rows: readonly CascadeRow[],
  { isRight, isInside, mostWrong: most }: Side,
): { probability: number; wrong: number } | undefined {
  let wrong = 0;
  let found: { probability: number; wrong: number } | undefined;
  for (const [i, row] of rows.entries()) {
    const p = row.student.attackProbability;
    if (!isInside(p)) break;
    if (!isRight(row)) wrong++;
    if (wrong > most) break;
    const isLastOfItsKind = rows[i + 1]?.student.attackProbability !== p;
    if (isLastOfItsKind) found = { probability: p, wrong };
  }
  return found;
}

const isEligible = ({ chars, student }: CascadeRow, maxChars: number): boolean =>
  chars <= maxChars && student.windows === 1;

function rateOf(hits: number, total: number): Interval {
  return total === 0 ? { value: 1, low: 0, high: 1 } : wilsonInterval(hits, total);
}
