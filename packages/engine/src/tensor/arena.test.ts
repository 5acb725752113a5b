import { expect, test } from "vitest";
import { type Arena, createArena, PlainArena } from "./arena.ts";
import { createRandom } from "./random.ts";

const filled = (arena: Arena, length: number, seed: number): Float32Array => {
  const random = createRandom(seed);
  const out = arena.floats(length);
  for (let i = 0; i < length; i++) out[i] = random.normal() * (i % 7 === 0 ? 10 : 0.1);
  return out;
};
const arenas = [createArena(1 << 20), new PlainArena()] as const;
const step = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, count: 1, scale: 0.5 };

test.each([1, 3, 4, 17, 4096, 5003])(
  "an update of %i weights is the same in WebAssembly and in JavaScript",
  (length) => {
    const [fast, plain] = arenas.map((arena) => {
      const [data, gradient] = [filled(arena, length, 1), filled(arena, length, 2)];
      const state = { data, gradient, m: arena.floats(length), v: arena.floats(length) };
      for (let count = 1; count <= 3; count++) arena.adamw(state, { ...step, count });
      return state;
    });
    for (const key of ["data", "m", "v"] as const) {
      for (const [i, value] of (plain?.[key] ?? []).entries()) {
        expect(Math.abs((fast?.[key][i] ?? Number.NaN) - value)).toBeLessThanOrEqual(
          1e-5 * Math.max(1, Math.abs(value)),
        );
      }
    }
  },
);

test.each([0, 1, 8, 4099, 50_000])("the sum of squares of %i values", (length) => {
  const [fast = 0, plain = 0] = arenas.map((arena) => arena.squares(filled(arena, length, 3)));
  expect(Math.abs(fast - plain)).toBeLessThanOrEqual(1e-5 * plain);
});

test.each(["rowsToInt8", "columnsToInt8"] as const)(
  "%s keeps within half a step of each scale, alike in both",
  (name) => {
    const [rows, columns] = [5, 48];
    const results = arenas.map((arena) => {
      const values = filled(arena, rows * columns, 4);
      const out = arena.bytes(rows * columns);
      const scales = arena.floats(name === "rowsToInt8" ? rows : columns);
      arena[name](values, out, scales);
      for (const [i, value] of values.entries()) {
        const scale = scales[name === "rowsToInt8" ? Math.floor(i / columns) : i % columns] ?? 0;
        expect(Math.abs(value - (out[i] ?? 0) * scale)).toBeLessThanOrEqual(0.5001 * scale);
      }
      return [...scales];
    });
    results[1]?.forEach((scale, i) => expect(results[0]?.[i]).toBeCloseTo(scale, 6));
    for (const arena of arenas) {
      expect(() =>
        arena[name](arena.floats(30), arena.bytes(30), arena.floats(name === "rowsToInt8" ? 2 : 15)),
      ).toThrow(RangeError);
    }
  },
);

test("arrays are fresh, aligned, and found in one growing memory; too large a wish gets ordinary arrays", () => {
  const arena = createArena(100);
  const small = arena.floats(3).fill(1);
  const large = arena.floats(200_000);
  expect(large.every((value) => value === 0)).toBe(true);
  expect([...small]).toEqual([1, 1, 1]);
  expect(large.byteOffset % 64).toBe(0);
  expect(createArena(5 * 2 ** 30)).toBeInstanceOf(PlainArena);
});
