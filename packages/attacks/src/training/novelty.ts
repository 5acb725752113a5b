/**
 * Keeps generated texts apart: a text counts as known when it shares too many character 5-grams (3-grams where words
 * are not parted by spaces) or too much of its 4-word runs with a text that is kept already.
 */

/** Limits above which a text is no longer new. */
export interface NoveltyLimits {
  /** Jaccard similarity of character n-grams. */
  readonly characters: number;
  /** Share of the shorter text's 4-word runs that also stand in the other. */
  readonly words: number;
}

/** Remembers kept texts and judges new ones against all of them. */
export interface Novelty {
  isNew(text: string): boolean;
  keep(text: string): void;
}

const cjk = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/;

/**
 * An empty memory of texts.
 * @param limits where similarity begins to count
 * @returns a memory; cost grows with the texts that share n-grams with the new one
 * @example
 * const novelty = createNovelty({ characters: 0.45, words: 0.5 });
 * if (novelty.isNew(text)) novelty.keep(text);
 */
export function createNovelty(limits: NoveltyLimits): Novelty {
  const characters = createIndex((shared, a, b) => shared / (a + b - shared) >= limits.characters);
  const words = createIndex((shared, a, b) => shared >= 2 && shared / Math.min(a, b) >= limits.words);
  return {
    isNew: (text) => !characters.isNear(characterGrams(text)) && !words.isNear(wordRuns(text)),
    keep(text) {
      characters.add(characterGrams(text));
      words.add(wordRuns(text));
    },
  };
}

function normalise(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFKC")
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

function characterGrams(text: string): Set<string> {
  const plain = normalise(text);
  const size = cjk.test(plain) ? 3 : 5;
  const grams = new Set<string>();
  for (let i = 0; i + size <= Math.max(plain.length, size); i++) grams.add(plain.slice(i, i + size));
  return grams;
}

function wordRuns(text: string): Set<string> {
  const list = normalise(text).split(" ");
  const runs = new Set<string>();
  for (let i = 0; i + 4 <= list.length; i++) runs.add(list.slice(i, i + 4).join(" "));
  return runs;
}

function createIndex(isNear: (shared: number, a: number, b: number) => boolean) {
  const postings = new Map<string, number[]>();
  const sizes: number[] = [];
  return {
    isNear(grams: ReadonlySet<string>): boolean {
      const shared = new Map<number, number>();
      for (const gram of grams) for (const id of postings.get(gram) ?? []) shared.set(id, (shared.get(id) ?? 0) + 1);
      for (const [id, count] of shared) if (isNear(count, grams.size, sizes[id] ?? 0)) return true;
      return false;
    },
    add(grams: ReadonlySet<string>): void {
      const id = sizes.push(grams.size) - 1;
      for (const gram of grams) {
        const list = postings.get(gram);
        if (list) list.push(id);
        else postings.set(gram, [id]);
      }
    },
  };
}
