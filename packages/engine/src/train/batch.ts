/** Rows as token batches: windows of long texts, buckets of like lengths, a token budget per run. */
import type { TokenRows } from "../nn/feed.ts";
import { createRandom } from "../tensor/random.ts";

/** One text as token ids without specials, and the index of its label. */
export interface EncodedRow {
  readonly ids: Int32Array;
  readonly label: number;
  /** Independent labels: all that the row has, and `label` is the first of them or -1. */
  readonly labels?: readonly number[];
  /** A teacher's probabilities over the labels. */
  readonly soft?: Float32Array;
  /** Long attacks give their most telling window; long benign texts another seeded window every epoch. */
  readonly isAttack: boolean;
}

/** What surrounds the content of every window. */
export interface Specials {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  readonly padId: number;
}

/** A padded rectangle of token ids, ready for one run. */
export interface TokenBatch extends TokenRows {
  /** Index of each row in the list it was made from. */
  readonly indices: readonly number[];
}

/** Sizes that decide how an epoch is cut. */
export interface BatchPlan {
  readonly batchSize: number;
  readonly maxLength: number;
  readonly tokenBudget: number;
  readonly seed: number;
}

/** Rows sorted by length within shuffled pools of this many batches: little padding, still random. */
const poolBatches = 64;

/**
 * The order of one epoch: batches of row indices, a pure function of seed, epoch and lengths, so that a resumed run
 * finds its place again.
 */
export function planEpoch(lengths: ArrayLike<number>, plan: BatchPlan, epoch: number): number[][] {
  const random = createRandom(plan.seed, 1, epoch);
  const order = random.shuffle(Array.from(lengths, (_, i) => i));
  const batches: number[][] = [];
  for (let from = 0; from < order.length; from += poolBatches * plan.batchSize) {
    const pool = order.slice(from, from + poolBatches * plan.batchSize);
    pool.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
    for (let at = 0; at < pool.length; at += plan.batchSize) batches.push(pool.slice(at, at + plan.batchSize));
  }
  return random.shuffle(batches);
}

/** Splits a batch so that rows x longest row stays within the token budget; at least one row each. */
export function splitByBudget(batch: readonly number[], lengths: ArrayLike<number>, tokenBudget: number): number[][] {
  const sorted = [...batch].sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const parts: number[][] = [];
  let part: number[] = [];
  for (const index of sorted) {
    if (part.length > 0 && (part.length + 1) * (lengths[index] ?? 0) > tokenBudget) {
      parts.push(part);
      part = [];
    }
    part.push(index);
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

/** Length of a row's window, specials included. */
export function windowLength(row: EncodedRow, specials: Specials, maxLength: number): number {
  return Math.min(row.ids.length + specials.prefix.length + specials.suffix.length, maxLength);
}

/**
 * The ids of a row's training window. Short rows are taken whole. Of a long row, an attack gives its most telling window
 * (`start`) and a benign text a window that moves with the epoch.
 */
export function trainingWindow(
  row: EncodedRow,
  specials: Specials,
  place: {
    readonly maxLength: number;
    readonly seed: number;
    readonly epoch: number;
    readonly index: number;
    readonly start: number;
  },
): Int32Array {
  const room = contentRoom(specials, place.maxLength);
  const spare = row.ids.length - room;
  const moves = spare > 0 && !row.isAttack;
  const start = moves ? createRandom(place.seed, 2, place.epoch, place.index).integer(spare + 1) : place.start;
  return withSpecials(row.ids.subarray(start, start + room), specials);
}

/**
 * Windows that cover a row, half overlapping; more than `most` are thinned out evenly, head and tail kept.
 * @example coveringWindows(row, specials, 128, 4) // up to four windows of at most 128 ids
 */
export function coveringWindows(row: EncodedRow, specials: Specials, maxLength: number, most: number): Int32Array[] {
  const room = contentRoom(specials, maxLength);
  const spare = Math.max(0, row.ids.length - room);
  const count = Math.min(most, 1 + Math.ceil(spare / Math.max(1, room >> 1)));
  return Array.from({ length: count }, (_, i) => {
    const start = count === 1 ? 0 : Math.round((spare * i) / (count - 1));
    return withSpecials(row.ids.subarray(start, start + room), specials);
  });
}

/** Tokens of a window that are not specials. */
export function contentRoom(specials: Specials, maxLength: number): number {
  return Math.max(1, maxLength - specials.prefix.length - specials.suffix.length);
}

/** Never empty: a tokenizer without specials leaves nothing of an empty text, and a row needs a token to be read at. */
function withSpecials(ids: Int32Array, { prefix, suffix, padId }: Specials): Int32Array {
  const all = Int32Array.of(...prefix, ...ids, ...suffix);
  return all.length > 0 ? all : Int32Array.of(padId);
}

/** Pads windows to a rectangle. */
export function padBatch(windows: readonly Int32Array[], indices: readonly number[], padId: number): TokenBatch {
  const tokens = windows.reduce((longest, window) => Math.max(longest, window.length), 1);
  const ids = new Int32Array(windows.length * tokens).fill(padId);
  for (const [i, window] of windows.entries()) ids.set(window, i * tokens);
  return { rows: windows.length, tokens, ids, lengths: Int32Array.from(windows, (window) => window.length), indices };
}
