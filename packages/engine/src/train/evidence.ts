/**
 * Where in a long attack is the attack? An injection inside a document fills one window of many; training on another
 * would teach that the document itself is the attack. The window is found by counting token triples in both kinds of rows.
 */
import type { EncodedRow } from "./batch.ts";

const buckets = 1 << 22;

/**
 * Start of the most telling window of every row: of an attack longer than `room` tokens, the window (at half-window
 * steps) whose token triples speak most for attacks, by the log odds of their row counts; 0 for every other row.
 * A pure function of the rows, so a resumed run finds the same windows.
 */
export function tellingWindows(rows: readonly EncodedRow[], room: number): Int32Array {
  const starts = new Int32Array(rows.length);
  if (!rows.some((row) => row.isAttack && row.ids.length > room)) return starts;
  const odds = tripleOdds(rows);
  const stride = Math.max(1, room >> 1);
  for (const [i, { ids, isAttack }] of rows.entries()) {
    if (!isAttack || ids.length <= room) continue;
    const sums = new Float64Array(ids.length + 1);
    for (let at = 0; at < ids.length; at++) sums[at + 1] = (sums[at] ?? 0) + Math.max(0, odds[triple(ids, at)] ?? 0);
    let best = -1;
    for (let start = 0; ; start = Math.min(start + stride, ids.length - room)) {
      const evidence = (sums[start + room] ?? 0) - (sums[start] ?? 0);
      if (evidence > best) {
        best = evidence;
        starts[i] = start;
      }
      if (start === ids.length - room) break;
    }
  }
  return starts;
}

/** Log odds of attack against benign rows for every bucket of token triples. */
function tripleOdds(rows: readonly EncodedRow[]): Float32Array {
  const counts = [new Float32Array(buckets), new Float32Array(buckets)] as const;
  const lastRow = new Int32Array(buckets);
  const totals = [0, 0];
  for (const [i, { ids, isAttack }] of rows.entries()) {
    const kind = isAttack ? 1 : 0;
    totals[kind] = (totals[kind] ?? 0) + 1;
    for (let at = 0; at < ids.length; at++) {
      const bucket = triple(ids, at);
      if (lastRow[bucket] === i + 1) continue;
      lastRow[bucket] = i + 1;
      counts[kind][bucket] = (counts[kind][bucket] ?? 0) + 1;
    }
  }
  const [benign, attack] = [Math.max(1, totals[0] ?? 0), Math.max(1, totals[1] ?? 0)];
  return counts[1].map((seen, bucket) => {
    return Math.log((seen + 0.1) / attack) - Math.log(((counts[0][bucket] ?? 0) + 0.1) / benign);
  });
}

/** Bucket of the three tokens that start here. */
function triple(ids: Int32Array, at: number): number {
  let hash = 0x811c9dc5;
  for (let k = 0; k < 3; k++) hash = Math.imul(hash ^ (ids[at + k] ?? 0), 0x01000193) ^ (hash >>> 15);
  return (hash >>> 0) % buckets;
}
