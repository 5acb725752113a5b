/**
 * Dropout masks at the price of a pointer. Drawing a number per activation costs more than the product it masks, so a
 * pool of masks is drawn once and every site reads it from a seeded place of its own at every step.
 */
import { createRandom } from "../tensor/random.ts";

/** Masks of one run. */
export interface DropoutMasks {
  /** `size` values that are 0 with probability `rate`, else 1/(1 - rate). The array is shared: do not write to it. */
  take(site: string, rate: number, size: number): Float32Array;
}

/** Masks for a whole training run. */
export interface DropoutPool {
  /** Masks of one run, a function of the seed and these numbers alone. */
  at(step: number, part: number): DropoutMasks;
}

/** Numbers beyond the largest request, so that places differ. */
const slack = 1 << 20;

/** Creates the pools on first use; they grow to the largest request plus a million. */
export function createDropoutPool(seed: number): DropoutPool {
  const pools = new Map<number, Float32Array>();
  const poolOf = (rate: number, size: number): Float32Array => {
    const known = pools.get(rate);
    if (known !== undefined && known.length >= size + slack) return known;
    const random = createRandom(seed, 3);
    const pool = new Float32Array(2 ** Math.ceil(Math.log2(size + slack)));
    for (let i = 0; i < pool.length; i++) pool[i] = random.next() < rate ? 0 : 1 / (1 - rate);
    pools.set(rate, pool);
    return pool;
  };
  return {
    at: (step, part) => ({
      take: (site, rate, size) => {
        const pool = poolOf(rate, size);
        // The range of places does not depend on the pool's length: a resumed run reads the same masks.
        const start = createRandom(seed, 4, step, part, Number(site.replace(/\D/g, ""))).integer(slack);
        return pool.subarray(start, start + size);
      },
    }),
  };
}
