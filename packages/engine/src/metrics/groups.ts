/** Near-duplicate groups: split a data set by these, never by row.
 * MinHash (Broder 1997) over shingles for alike texts, sampled 8-token runs for texts contained in others. */
import { seededRandom } from "./seeded.ts";

const HASHES = 64;
const BAND = 4; // 16 bands of 4: pairs with Jaccard 0.5 meet with a chance of 64 %, with 0.7 of 99 %
const ALIKE = 0.5;
const RUN = 8;
const SHORT_TOKENS = 16;
const MAX_PAIRED = 40;

/**
 * The group of every text, numbered from 0 in order of first appearance. Tokens are words, and single characters
 * for Chinese, Japanese, Korean and Thai; short texts are compared by character 5-grams.
 * Two texts are joined when their shingles' estimated Jaccard is at least 0.5, or when one holds at least half of
 * the other's 8-token runs (sampled, three shared at least). About 40,000 texts of 800 characters in 5 s on one core.
 * @example
 * nearDuplicateGroups(["ignore all the rules now", "Ignore all the rules, now!", "hello"]); // [0, 0, 1]
 */
export function nearDuplicateGroups(texts: readonly string[]): Int32Array {
  const union = createUnion(texts.length);
  const signatures = new Uint32Array(texts.length * HASHES);
  const runs: number[] = []; // hash * 2^22 + text
  const runCounts = new Int32Array(texts.length);
  const mixers = createMixers();
  for (const [i, text] of texts.entries()) {
    const tokens = tokensOf(text);
    sign(tokens, mixers, signatures.subarray(i * HASHES, (i + 1) * HASHES));
    runCounts[i] = sampleRuns(tokens, i, runs);
  }
  joinAlike(signatures, texts.length, union);
  joinContained(runs, runCounts, union);
  return union.numbered();
}

/** Words of a text, lowercased; ideographs, kana, hangul and Thai one by one; marks and punctuation dropped. */
function tokensOf(text: string): string[] {
  return (
    text
      .normalize("NFKC")
      .toLowerCase()
      .match(
        /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]|[\p{L}\p{N}\p{M}_]+?(?=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]|[^\p{L}\p{N}\p{M}_]|$)/gu,
      ) ?? []
  );
}

function createMixers(): Uint32Array {
  const random = seededRandom(7);
  return Uint32Array.from({ length: HASHES * 2 }, () => (random() * 4_294_967_296) | 1);
}

/** Smallest mixed hash of the shingles under each of the 64 mixers. A text without tokens stays alone: all zero. */
function sign(tokens: readonly string[], mixers: Uint32Array, out: Uint32Array): void {
  const shingles = tokens.length <= SHORT_TOKENS ? characterShingles(tokens.join(" ")) : tokenShingles(tokens, 3);
  if (shingles.size === 0) return;
  out.fill(0xffffffff);
  for (const shingle of shingles) {
    for (let k = 0; k < HASHES; k++) {
      let mixed = Math.imul(shingle ^ (mixers[k] ?? 0), 0x9e3779b1);
      mixed = Math.imul(mixed ^ (mixed >>> 15), mixers[HASHES + k] ?? 1);
      mixed = (mixed ^ (mixed >>> 13)) >>> 0;
      if (mixed < (out[k] ?? 0)) out[k] = mixed;
    }
  }
}

function characterShingles(text: string): Set<number> {
  const shingles = new Set<number>();
  if (text !== "" && text.length <= 5) shingles.add(hash(text, 0, text.length));
  for (let i = 0; i + 5 <= text.length; i++) shingles.add(hash(text, i, i + 5));
  return shingles;
}

function tokenShingles(tokens: readonly string[], size: number): Set<number> {
  const hashes = tokens.map((token) => hash(token, 0, token.length));
  const shingles = new Set<number>();
  for (let i = 0; i + size <= hashes.length; i++) shingles.add(runHash(hashes, i, size));
  return shingles;
}

/** Adds a fixed quarter of the text's distinct 8-token runs, chosen by hash; returns how many. */
function sampleRuns(tokens: readonly string[], text: number, out: number[]): number {
  let count = 0;
  for (const shingle of tokenShingles(tokens, RUN)) {
    if ((shingle & 3) !== 0) continue;
    out.push((shingle >>> 2) * 2 ** 22 + text);
    count += 1;
  }
  return count;
}

function hash(text: string, from: number, to: number): number {
  let value = 0x811c9dc5;
  for (let i = from; i < to; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value ^= value >>> 15;
  return Math.imul(value, 0x2c1b3c6d) >>> 0;
}

function runHash(hashes: readonly number[], from: number, size: number): number {
  let value = 0x811c9dc5;
  for (let i = from; i < from + size; i++) {
    value = Math.imul(value ^ (hashes[i] ?? 0), 0x9e3779b1);
    value ^= value >>> 16;
  }
  return value >>> 0;
}

function joinAlike(signatures: Uint32Array, count: number, union: Union): void {
  for (let band = 0; band < HASHES; band += BAND) {
    const seen = new Map<string, number[]>();
    for (let i = 0; i < count; i++) {
      const at = i * HASHES + band;
      if (signatures[at] === 0 && signatures[at + 1] === 0) continue;
      const key = `${signatures[at]},${signatures[at + 1]},${signatures[at + 2]},${signatures[at + 3]}`;
      const others = seen.get(key);
      if (!others) {
        seen.set(key, [i]);
        continue;
      }
      for (const other of others) {
        if (union.find(other) !== union.find(i) && jaccard(signatures, other, i) >= ALIKE) union.join(other, i);
      }
      if (others.length < MAX_PAIRED) others.push(i);
    }
  }
}

function jaccard(signatures: Uint32Array, a: number, b: number): number {
  let same = 0;
  for (let k = 0; k < HASHES; k++) if (signatures[a * HASHES + k] === signatures[b * HASHES + k]) same += 1;
  return same / HASHES;
}

function joinContained(runs: readonly number[], runCounts: Int32Array, union: Union): void {
  const sorted = Float64Array.from(runs).sort();
  const shared = new Map<number, number>();
  const size = runCounts.length;
  for (let from = 0; from < sorted.length; ) {
    const run = Math.floor((sorted[from] ?? 0) / 2 ** 22);
    const texts: number[] = [];
    for (; from < sorted.length && Math.floor((sorted[from] ?? 0) / 2 ** 22) === run; from++) {
      if (texts.length < MAX_PAIRED) texts.push((sorted[from] ?? 0) % 2 ** 22);
    }
    for (const [j, a] of texts.entries()) {
      for (const b of texts.slice(j + 1)) {
        const key = a * size + b;
        const count = (shared.get(key) ?? 0) + 1;
        shared.set(key, count);
        const needed = Math.max(3, Math.min(runCounts[a] ?? 0, runCounts[b] ?? 0) / 2);
        if (count >= needed) union.join(a, b);
      }
    }
  }
}

interface Union {
  find(item: number): number;
  join(a: number, b: number): void;
  numbered(): Int32Array;
}

function createUnion(count: number): Union {
  const parents = Int32Array.from({ length: count }, (_, i) => i);
  const find = (item: number): number => {
    let root = item;
    while (parents[root] !== root) {
      const parent = parents[root] ?? root;
      parents[root] = parents[parent] ?? parent;
      root = parents[root] ?? root;
    }
    return root;
  };
  return {
    find,
    join(a, b) {
      const [rootA, rootB] = [find(a), find(b)];
      if (rootA !== rootB) parents[Math.max(rootA, rootB)] = Math.min(rootA, rootB);
    },
    numbered() {
      const numbers = new Map<number, number>();
      return Int32Array.from({ length: count }, (_, i) => {
        const root = find(i);
        const number = numbers.get(root) ?? numbers.size;
        numbers.set(root, number);
        return number;
      });
    },
  };
}
