/** Seeded random numbers (xoshiro128**): the same seed gives the same attacks on every machine. */

/** A stream of random choices. */
export interface Rng {
  /** Next number in [0, 1). */
  next(): number;
  /** Next whole number in [0, limit). */
  int(limit: number): number;
  /** One member of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** The list in random order; the list itself is left alone. */
  shuffle<T>(list: readonly T[]): T[];
  /** An independent stream that depends on this stream's seed and a name, not on how much was drawn. */
  fork(name: string): Rng;
}

/**
 * A random stream from a seed.
 * @param seed number or string; strings are hashed, so names make good seeds
 * @returns the stream, always in the same order for the same seed
 * @example
 * createRng(7).pick(["a", "b", "c"]);
 */
export function createRng(seed: number | string): Rng {
  const state = expandSeed(String(seed));
  const next = (): number => step(state) / 0x1_0000_0000;
  const int = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    int,
    pick: <T>(list: readonly T[]): T => list[int(list.length)] as T,
    chance: (probability) => next() < probability,
    shuffle: (list) => shuffled(list, int),
    fork: (name) => createRng(`${seed}/${name}`),
  };
}

function shuffled<T>(list: readonly T[], int: (limit: number) => number): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = int(i + 1);
    [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
  }
  return copy;
}

/** FNV-1a over the text, stretched to four words by splitmix32. */
function expandSeed(text: string): Uint32Array {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  const state = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    hash = (hash + 0x9e3779b9) >>> 0;
    let word = hash;
    word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    state[i] = (word ^ (word >>> 15)) >>> 0;
  }
  return state;
}

/** One step of xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it). */
function step(state: Uint32Array): number {
  const [a, b, c, d] = state as unknown as [number, number, number, number];
  const product = Math.imul(b, 5);
  const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
  const mixed = c ^ a;
  const turned = d ^ b;
  state[0] = a ^ turned;
  state[1] = b ^ mixed;
  state[2] = mixed ^ (b << 9);
  state[3] = (turned << 11) | (turned >>> 21);
  return result;
}
