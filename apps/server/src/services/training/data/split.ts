// Splits rows so that near-duplicates never lie on both sides, and keeps what resembles the suite out of training.
import { nearDuplicateGroups } from "@mlsec/engine";
import type { DataRow } from "./rows.ts";

export interface GroupedRow extends DataRow {
  readonly groupNumber: number;
}
export interface Cleaned {
  readonly rows: GroupedRow[];
  readonly repeated: number;
  /** Rows left out because a near-duplicate stands in `others`. */
  readonly contaminated: number;
}

/** Exact repeats and near-duplicates of `others` removed; the rest with its group, rows' own groups joined in. */
export function cleanRows(rows: readonly DataRow[], others: readonly string[]): Cleaned {
  const unique = [...new Map(rows.map((row) => [row.text, row])).values()];
  const numbers = nearDuplicateGroups([...unique.map((row) => row.text), ...others]);
  const barred = new Set(numbers.subarray(unique.length));
  const joined = joinGiven(unique, numbers);
  const kept = unique.flatMap((row, i) =>
    barred.has(numbers[i] ?? -1) ? [] : [{ ...row, groupNumber: joined(numbers[i] ?? i) }],
  );
  return { rows: kept, repeated: rows.length - unique.length, contaminated: unique.length - kept.length };
}

/** Groups that the rows themselves name are joined with those that were found. */
function joinGiven(rows: readonly DataRow[], numbers: Int32Array): (group: number) => number {
  const parents = new Map<number, number>();
  const find = (group: number): number => {
    let root = group;
    for (let parent = parents.get(root); parent !== undefined; parent = parents.get(root)) root = parent;
    return root;
  };
  const first = new Map<string, number>();
  for (const [i, { group }] of rows.entries()) {
    if (group === undefined) continue;
    const own = find(numbers[i] ?? i);
    const other = find(first.get(group) ?? own);
    if (other !== own) parents.set(Math.max(own, other), Math.min(own, other));
    if (!first.has(group)) first.set(group, own);
  }
  return find;
}

/**
 * Holds a share of every label's rows out, whole groups at a time; the same rows and seed give the same split.
 * @param random 0 to 1, seeded
 */
export function splitByGroup(
  rows: readonly GroupedRow[],
  share: number,
  random: () => number,
): { train: GroupedRow[]; held: GroupedRow[] } {
  const groups = [...Map.groupBy(rows, (row) => row.groupNumber).values()];
  for (let i = groups.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [groups[i], groups[j]];
    if (a && b) [groups[i], groups[j]] = [b, a];
  }
  const wanted = new Map<string, number>();
  for (const { label } of rows) wanted.set(label, (wanted.get(label) ?? 0) + share);
  const train: GroupedRow[] = [];
  const held: GroupedRow[] = [];
  for (const group of groups) {
    const label = group[0]?.label ?? "";
    const left = wanted.get(label) ?? 0;
    // A group larger than what is still wanted would make a label's share lopsided.
    const isHeld = left >= 0.5 && group.length <= Math.max(1, left * 2);
    (isHeld ? held : train).push(...group);
    if (isHeld) for (const row of group) wanted.set(row.label, (wanted.get(row.label) ?? 0) - 1);
  }
  return { train, held };
}
