/** A hash table from pairs of small integers to small integers, in flat arrays: tries and merge ranks lie in it. */

/** Pairs `(left, right)` of non-negative 31-bit integers to non-negative integers. */
export interface PairTable {
  /** −1 where there is none. */
  get(left: number, right: number): number;
  set(left: number, right: number, value: number): void;
}

/**
 * An empty table with room for `expected` pairs; it grows by itself.
 * @example
 * const table = pairTable(2); table.set(1, 2, 7); table.get(1, 2); // 7
 */
export function pairTable(expected: number): PairTable {
  let capacity = 16;
  while (capacity < expected * 2) capacity *= 2;
  let slots = emptySlots(capacity);
  let count = 0;

  /** Index of the pair's slot, or of the free slot where it belongs. */
  const find = (left: number, right: number): number => {
    const mask = slots.length / 3 - 1;
    let at = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> 0;
    at = (at ^ (at >>> 15)) & mask;
    for (;;) {
      const slot = at * 3;
      if (slots[slot] === -1 || (slots[slot] === left && slots[slot + 1] === right)) return slot;
      at = (at + 1) & mask;
    }
  };
  const put = (left: number, right: number, value: number): void => {
    const slot = find(left, right);
    if (slots[slot] === -1) count += 1;
    slots[slot] = left;
    slots[slot + 1] = right;
    slots[slot + 2] = value;
  };
  return {
    get: (left, right) => slots[find(left, right) + 2] ?? -1,
    set(left, right, value) {
      put(left, right, value);
      if (count * 6 < slots.length) return; // at most half full
      const old = slots;
      slots = emptySlots((old.length / 3) * 2);
      count = 0;
      for (let i = 0; i < old.length; i += 3) {
        if (old[i] !== -1) put(old[i] ?? 0, old[i + 1] ?? 0, old[i + 2] ?? 0);
      }
    },
  };
}

function emptySlots(capacity: number): Int32Array<ArrayBuffer> {
  return new Int32Array(capacity * 3).fill(-1);
}
