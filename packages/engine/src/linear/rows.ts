/** Hashed rows: each window of a text as one packed list of buckets, so that 35,000 texts fit in memory. */
import { eachFeature, type FeatureConfig } from "./features.ts";

const COUNT_BITS = 7;
const MAX_COUNT = (1 << COUNT_BITS) - 1;

/** Weight of a feature that occurs `count` times: 1 + ln(count). */
const damped = Float64Array.from({ length: MAX_COUNT + 1 }, (_, count) => (count === 0 ? 0 : 1 + Math.log(count)));

/** The features of one text: `entries[i]` packs bucket, block and count; `scales` are 1 / norm of each block. */
export interface HashedText {
  readonly entries: Uint32Array;
  readonly scales: readonly [number, number];
}

/** Turns texts into hashed rows; holds scratch space of 2 × 2^bits counters. */
export interface Hasher {
  readonly config: FeatureConfig;
  hash(text: string): HashedText;
}

/**
 * A hasher. Each block of a row has length 1, so a long text weighs as much as a short one.
 * @example
 * createHasher(defaultFeatures).hash("ignore this").entries.length;
 */
export function createHasher(config: FeatureConfig): Hasher {
  const size = 2 ** config.bits;
  const counts = new Uint8Array(size * 2);
  let touched = new Uint32Array(4096);
  return {
    config,
    hash(text) {
      let length = 0;
      eachFeature(text, config, (bucket, block) => {
        const slot = bucket + block * size;
        const count = counts[slot] ?? 0;
        if (count === 0) {
          if (length === touched.length) {
            const larger = new Uint32Array(length * 2);
            larger.set(touched);
            touched = larger;
          }
          touched[length++] = slot;
        }
        if (count < MAX_COUNT) counts[slot] = count + 1;
      });
      const entries = new Uint32Array(length);
      const squares: [number, number] = [0, 0];
      for (let i = 0; i < length; i++) {
        const slot = touched[i] ?? 0;
        const count = counts[slot] ?? 0;
        counts[slot] = 0;
        entries[i] = slot * (MAX_COUNT + 1) + count;
        const value = damped[count] ?? 0;
        if (slot < size) squares[0] += value * value;
        else squares[1] += value * value;
      }
      return { entries, scales: [scaleOf(squares[0]), scaleOf(squares[1])] };
    },
  };
}

/**
 * Calls `visit(bucket, value)` for every feature of a hashed text, `value` being damped and normalised.
 * @example
 * eachValue(hashed, 18, (bucket, value) => { logit += value * (weights[bucket] ?? 0); });
 */
export function eachValue(hashed: HashedText, bits: number, visit: (bucket: number, value: number) => void): void {
  const { entries, scales } = hashed;
  const mask = 2 ** bits - 1;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] ?? 0;
    const slot = entry >>> COUNT_BITS;
    visit(slot & mask, (damped[entry & MAX_COUNT] ?? 0) * scales[slot > mask ? 1 : 0]);
  }
}

function scaleOf(squares: number): number {
  return squares === 0 ? 0 : 1 / Math.sqrt(squares);
}
