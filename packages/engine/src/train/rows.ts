/** Rows before training: checked, encoded, split by group, weighted. */
import { EngineError } from "../error.ts";
import { createRandom } from "../tensor/random.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import type { EncodedRow } from "./batch.ts";
import type { TrainConfig } from "./config.ts";

/** One labelled text. Rows of one group are near-duplicates and never stand on both sides of a split. */
export interface TrainRow {
  readonly text: string;
  /** The label, where a row has exactly one. */
  readonly label?: string;
  /** All labels, where they are independent; may be empty. Takes the place of `label`. */
  readonly labels?: readonly string[];
  /** A teacher's probabilities over the labels (`teach`): the row is learnt from both. */
  readonly soft?: ArrayLike<number>;
  readonly group?: number;
}

/** Indices of the rows to train on and of those held out. */
export interface Split {
  readonly train: readonly number[];
  readonly held: readonly number[];
}

/**
 * Holds out whole groups, seeded, until `fraction` of the rows (at most `most`) is reached. A row without a group is its own.
 * @example splitByGroup(rows, { fraction: 0.1, most: 3000, seed: 42 })
 */
export function splitByGroup(
  rows: readonly TrainRow[],
  options: { readonly fraction: number; readonly most: number; readonly seed: number },
): Split {
  const groups = new Map<string, number[]>();
  for (const [i, { group }] of rows.entries()) {
    const key = group === undefined ? `row ${i}` : `group ${group}`;
    const members = groups.get(key) ?? [];
    members.push(i);
    groups.set(key, members);
  }
  const wanted = Math.min(options.fraction * rows.length, options.most);
  const held = new Set<number>();
  for (const members of createRandom(options.seed, 5).shuffle([...groups.values()])) {
    if (held.size + members.length > wanted) continue;
    for (const index of members) held.add(index);
  }
  const all = rows.map((_, i) => i);
  return { train: all.filter((i) => !held.has(i)), held: all.filter((i) => held.has(i)) };
}

/**
 * Token ids and label indices.
 * @throws EngineError DATA when a row has an unknown label, or not exactly one where labels exclude each other.
 */
export function encodeRows(rows: readonly TrainRow[], tokenizer: Tokenizer, config: TrainConfig): EncodedRow[] {
  return rows.map((row, i) => {
    const names = row.labels ?? (row.label === undefined ? [] : [row.label]);
    if (!config.multiLabel && names.length !== 1) {
      throw new EngineError("DATA", `row ${i} must have one label`, { expected: 1, got: names.length });
    }
    const labels = names.map((name) => config.labels.indexOf(name));
    const unknown = labels.indexOf(-1);
    if (unknown >= 0) {
      throw new EngineError("DATA", `row ${i} has an unknown label`, { expected: config.labels, got: names[unknown] });
    }
    const { ids } = tokenizer.encode(row.text, { addSpecials: false });
    const isAttack = names.some((name) => name !== config.benignLabel);
    const soft = row.soft && teacherRow(row.soft, i, config);
    return { ids, label: labels[0] ?? -1, isAttack, ...(config.multiLabel ? { labels } : {}), ...(soft && { soft }) };
  });
}

/** Weight of a row: that of its label; of several independent ones the mean; 1 without any. */
export function rowWeight(row: EncodedRow | undefined, weights: Float64Array): number {
  const labels = row?.labels ?? [row?.label ?? 0];
  if (labels.length === 0) return 1;
  return labels.reduce((sum, label) => sum + (weights[label] ?? 1), 0) / labels.length;
}

/** Weight of every label. "balanced" is the inverse square root of its share, scaled to a mean of 1 over the rows. */
export function labelWeights(rows: readonly EncodedRow[], config: TrainConfig): Float64Array {
  const { classWeights, labels } = config;
  if (classWeights === "none") return new Float64Array(labels.length).fill(1);
  if (classWeights !== "balanced") return Float64Array.from(labels, (label) => classWeights[label] ?? 1);
  const counts = new Float64Array(labels.length);
  for (const row of rows) for (const label of row.labels ?? [row.label]) counts[label] = (counts[label] ?? 0) + 1;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const raw = counts.map((count) => 1 / Math.sqrt(Math.max(1, count)));
  const mean = raw.reduce((sum, weight, i) => sum + weight * (counts[i] ?? 0), 0) / Math.max(1, total);
  return raw.map((weight) => weight / mean);
}

/** Soft targets (rows, labels): smoothed one-hot times the row's weight over the weight of the whole batch. */
export function softTargets(
  labels: readonly number[],
  weights: Float64Array,
  options: { readonly smoothing: number; readonly batchWeight: number },
): Float32Array {
  const classes = weights.length;
  const out = new Float32Array(labels.length * classes);
  for (const [row, label] of labels.entries()) {
    const weight = (weights[label] ?? 1) / options.batchWeight;
    out.fill((weight * options.smoothing) / classes, row * classes, (row + 1) * classes);
    const at = row * classes + label;
    out[at] = (out[at] ?? 0) + weight * (1 - options.smoothing);
  }
  return out;
}

/** A row's teacher probabilities, checked. */
function teacherRow(soft: ArrayLike<number>, row: number, { labels, multiLabel }: TrainConfig): Float32Array {
  const values = Float32Array.from(soft);
  const sum = values.reduce((total, value) => total + value, 0);
  const isFine = values.length === labels.length && values.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-3;
  if (isFine && !multiLabel) return values;
  const expected = multiLabel ? "no teacher: labels are independent" : `${labels.length} probabilities that sum to 1`;
  throw new EngineError("DATA", `row ${row} has unusable teacher probabilities`, { where: "soft", expected, got: sum });
}

/**
 * Targets and a teacher's targets (rows, labels): a taught row gives `share` of its weight to the teacher and the rest
 * to its label, an untaught one everything to its label.
 */
export function taughtTargets(
  rows: readonly EncodedRow[],
  targets: Float32Array,
  options: { readonly weights: readonly number[]; readonly share: number; readonly batchWeight: number },
): { readonly targets: Float32Array; readonly softTargets: Float32Array } {
  const { weights, share, batchWeight } = options;
  const classes = targets.length / rows.length;
  const hard = targets.slice();
  const taught = new Float32Array(targets.length);
  for (const [i, { soft }] of rows.entries()) {
    if (soft === undefined) continue;
    const weight = (share * (weights[i] ?? 1)) / batchWeight;
    for (let label = 0; label < classes; label++) {
      const at = i * classes + label;
      hard[at] = (hard[at] ?? 0) * (1 - share);
      taught[at] = weight * (soft[label] ?? 0);
    }
  }
  return { targets: hard, softTargets: taught };
}
