/** Independent labels (multi-label heads): every label is a question of its own, and a row may have several or none. */
import { perClass } from "../metrics/classes.ts";
import type { EncodedRow } from "./batch.ts";
import type { TrainConfig } from "./config.ts";

/** Whether a row has a label. */
const has = (row: EncodedRow | undefined, label: number): boolean => row?.labels?.includes(label) === true;

/**
 * Targets (rows, labels) and mass (rows, 1) of the binary cross-entropy, averaged over labels and, by weight, over the
 * rows of the whole batch. Smoothing moves a truth towards 1/2.
 * @example independentTargets(rows, [1, 1], { classes: 3, smoothing: 0, batchWeight: 2 })
 */
export function independentTargets(
  rows: readonly EncodedRow[],
  weights: readonly number[],
  options: { readonly classes: number; readonly smoothing: number; readonly batchWeight: number },
): { readonly targets: Float32Array; readonly mass: Float32Array } {
  const { classes, smoothing, batchWeight } = options;
  const mass = Float32Array.from(rows, (_, i) => (weights[i] ?? 1) / (batchWeight * classes));
  const targets = new Float32Array(rows.length * classes);
  for (const [i, row] of rows.entries()) {
    for (let label = 0; label < classes; label++) {
      const truth = smoothing / 2 + (has(row, label) ? 1 - smoothing : 0);
      targets[i * classes + label] = truth * (mass[i] ?? 0);
    }
  }
  return { targets, mass };
}

/**
 * Metrics over rows: mean binary cross-entropy, share of rows with every label right at P ≥ 1/2, mean F1 of the labels
 * that occur in truth or prediction. A row has a label when one of its windows has it; benign when all have.
 */
export function measureIndependent(
  rows: readonly EncodedRow[],
  logits: Float32Array,
  owners: readonly number[],
  config: Pick<TrainConfig, "labels" | "benignLabel">,
): { readonly loss: number; readonly accuracy: number; readonly macroF1: number } {
  const pooled = poolWindows(logits, owners, { rows: rows.length, config });
  const classes = config.labels.length;
  let loss = 0;
  let right = 0;
  for (const [i, row] of rows.entries()) {
    let isRight = true;
    for (let label = 0; label < classes; label++) {
      const x = pooled[i * classes + label] ?? Number.NaN;
      const truth = has(row, label);
      loss += Math.max(x, 0) - (truth ? x : 0) + Math.log1p(Math.exp(-Math.abs(x)));
      if (x >= 0 !== truth) isRight = false;
    }
    if (isRight) right++;
  }
  const scores = config.labels.flatMap((_, label) => {
    const truth = rows.map((row) => Number(has(row, label)));
    const predicted = rows.map((_row, i) => Number((pooled[i * classes + label] ?? 0) >= 0));
    const figures = perClass(truth, predicted, 2)[1];
    return figures && (figures.support > 0 || predicted.includes(1)) ? [figures.f1] : [];
  });
  const macroF1 = scores.reduce((sum, f1) => sum + f1, 0) / Math.max(1, scores.length);
  return { loss: loss / (rows.length * classes), accuracy: right / rows.length, macroF1 };
}

/** Logits (rows, labels): the highest of the row's windows, for the benign label the lowest. */
function poolWindows(
  logits: Float32Array,
  owners: readonly number[],
  { rows, config }: { readonly rows: number; readonly config: Pick<TrainConfig, "labels" | "benignLabel"> },
): Float64Array {
  const classes = config.labels.length;
  const pooled = new Float64Array(rows * classes).fill(Number.NaN);
  for (const [window, row] of owners.entries()) {
    for (const [label, name] of config.labels.entries()) {
      const at = row * classes + label;
      const value = logits[window * classes + label] ?? Number.NaN;
      const before = pooled[at] ?? Number.NaN;
      const pick = name === config.benignLabel ? Math.min : Math.max;
      pooled[at] = Number.isNaN(before) ? value : pick(before, value);
    }
  }
  return pooled;
}
