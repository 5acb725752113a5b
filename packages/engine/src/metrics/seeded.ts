/** A small seeded random source (mulberry32) for resampling and shuffling: the same seed, the same figures. */

/**
 * Numbers in [0, 1), 32 bits each.
 * @example
 * seededRandom(1)() === seededRandom(1)(); // true
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
