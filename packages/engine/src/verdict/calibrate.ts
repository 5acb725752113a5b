/** Fits what turns window logits into decisions: temperature, length penalty, threshold. */
import { EngineError } from "../error.ts";
import { fitTemperature } from "../metrics/calibration.ts";
import { thresholdAtFpr } from "../metrics/ranking.ts";
import { seededRandom } from "../metrics/seeded.ts";
import type { LabelledText } from "./evaluate.ts";
import { type Calibration, fitPoolingPenalty, pool } from "./pooling.ts";
import { scanTexts, type TextScan } from "./scan.ts";
import type { Scorer } from "./scorer.ts";

/** What calibration needs to know. */
export interface CalibrateOptions {
  readonly labels: readonly string[];
  readonly benignLabels: readonly string[];
  /** Tokens by which a window moves on, to size the long texts. */
  readonly strideTokens: number;
  readonly fpr: number;
  readonly seed: number;
  /** Long clean texts made per length. Default 60. */
  readonly longTexts?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The fitted numbers. */
export interface Fitted extends Calibration {
  readonly threshold: number;
}

/** Windows of the long clean texts that the penalty is fitted on. */
const LENGTHS = [2, 4, 8, 16] as const;
const CHUNK = 128;

/**
 * Calibrates a model on held-out rows. The penalty is fitted on long texts put together from the clean rows.
 * @throws EngineError DATA when a label is unknown or no row is benign, CANCELLED when `signal` aborts.
 * @example
 * const { temperature, poolingPenalty, threshold } = await calibrate(scorer, rows, options);
 */
export async function calibrate(
  scorer: Scorer,
  rows: readonly LabelledText[],
  options: CalibrateOptions,
): Promise<Fitted> {
  const benign = options.labels.map((label) => options.benignLabels.includes(label));
  const truth = rows.map(({ label }, i) => {
    const index = options.labels.indexOf(label);
    if (index < 0) throw new EngineError("DATA", "unknown label", { where: `row ${i}`, got: label });
    return index;
  });
  const clean = rows.filter((_, i) => benign[truth[i] ?? 0]).map(({ text }) => text);
  if (clean.length === 0) throw new EngineError("DATA", "calibration needs benign rows");
  const long = longTexts(scorer, clean, options);
  const texts = [...rows.map(({ text }) => text), ...long];
  const scans: TextScan[] = [];
  for (let from = 0; from < texts.length; from += CHUNK) {
    scans.push(...(await scanTexts(scorer, texts.slice(from, from + CHUNK), options.signal)));
    options.onProgress?.(scans.length, texts.length);
  }
  const raw = { temperature: 1, poolingPenalty: 0 };
  const best = scans
    .slice(0, rows.length)
    .map((scan) => Array.from(scan.windows[poolScan(scan, benign, raw).window]?.logits ?? []));
  const temperature = fitTemperature(best.flat(), truth);
  const isClean = (i: number): boolean => i >= rows.length || benign[truth[i] ?? 0] === true;
  const poolingPenalty = fitPoolingPenalty(
    scans.flatMap((scan, i) =>
      isClean(i)
        ? [
            {
              logOdds: poolScan(scan, benign, { temperature, poolingPenalty: 0 }).logOdds,
              windows: scan.windows.length,
            },
          ]
        : [],
    ),
    Math.max(options.fpr, 0.05), // a rarer quantile of so few long texts would be noise
  );
  const scores = scans
    .slice(0, rows.length)
    .map((scan) => poolScan(scan, benign, { temperature, poolingPenalty }).attackProbability);
  const isAttack = truth.map((index) => !benign[index]);
  return { temperature, poolingPenalty, threshold: Math.min(1, thresholdAtFpr(scores, isAttack, options.fpr)) };
}

/**
 * Splits rows in two halves, groups kept whole, labels kept even: one to fit on, one to report on.
 * @example
 * const [fitRows, reportRows] = halve(rows, 1);
 */
export function halve<Row extends LabelledText>(rows: readonly Row[], seed: number): [Row[], Row[]] {
  const random = seededRandom(seed);
  const units = new Map<string, Row[]>();
  for (const [i, row] of rows.entries()) {
    const key = row.group === undefined ? `row ${i}` : `group ${row.group}`;
    units.set(key, [...(units.get(key) ?? []), row]);
  }
  const order = [...units.values()].map((unit) => ({ unit, at: random() })).sort((a, b) => a.at - b.at);
  const halves: [Row[], Row[]] = [[], []];
  const turns = new Map<string, number>();
  for (const { unit } of order) {
    const label = unit[0]?.label ?? "";
    const turn = turns.get(label) ?? 0;
    turns.set(label, turn + 1);
    halves[turn % 2 === 0 ? 0 : 1].push(...unit);
  }
  return halves;
}

function poolScan(scan: TextScan, benign: readonly boolean[], by: Calibration): ReturnType<typeof pool> {
  return pool(
    scan.windows.map(({ logits }) => logits),
    benign,
    by,
  );
}

/** Clean texts of about 2, 4, 8 and 16 windows, put together from clean rows in random order. */
function longTexts(scorer: Scorer, clean: readonly string[], options: CalibrateOptions): string[] {
  const random = seededRandom(options.seed);
  const tokens = clean.map((text) => scorer.cut(text).tokens);
  const out: string[] = [];
  for (const windows of LENGTHS) {
    for (let i = 0; i < (options.longTexts ?? 60); i++) {
      const parts: string[] = [];
      for (let total = 0; total < windows * options.strideTokens; ) {
        const pick = Math.floor(random() * clean.length);
        parts.push(clean[pick] ?? "");
        total += Math.max(1, tokens[pick] ?? 1);
      }
      out.push(parts.join("\n\n"));
    }
  }
  return out;
}
