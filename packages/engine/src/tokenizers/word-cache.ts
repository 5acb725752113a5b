/** Remembers the pieces of short words, of which most texts are made. */
import type { Pieces } from "./stages.ts";

/** V8 copies substrings this short; a longer key would keep its whole text alive in the cache. */
const MAX_CACHED_UNITS = 12;
const MAX_CACHED_WORDS = 32_768;

/**
 * The same function with a bounded memory.
 * @example
 * const cut = remembered((word) => ({ ids: [word.length], ends: [word.length] }));
 * cut("ab") === cut("ab"); // true
 */
export function remembered(cut: (word: string) => Pieces): (word: string) => Pieces {
  const cache = new Map<string, Pieces>();
  return (word) => {
    if (word.length > MAX_CACHED_UNITS) return cut(word);
    const known = cache.get(word);
    if (known) return known;
    const pieces = cut(word);
    if (cache.size >= MAX_CACHED_WORDS) cache.clear();
    cache.set(word, pieces);
    return pieces;
  };
}
