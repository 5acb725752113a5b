import fc from "fast-check";
import { expect, test } from "vitest";
import { wilson } from "./statistics.ts";

test("Wilson's interval: known values", () => {
  // R: binom::binom.wilson(8, 10) and (0, 20)
  expect(wilson(8, 10).low).toBeCloseTo(0.4901625, 5);
  expect(wilson(8, 10).high).toBeCloseTo(0.9433178, 5);
  expect(wilson(0, 20)).toEqual({ low: 0, high: expect.closeTo(0.1611252, 5) });
  expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
});

test("the interval holds the share, lies in 0 to 1 and narrows with more trials", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, part) => {
      const hits = Math.round(trials * part);
      const { low, high } = wilson(hits, trials);
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
      expect(low).toBeLessThanOrEqual(hits / trials);
      expect(high).toBeGreaterThanOrEqual(hits / trials);
      const more = wilson(hits * 4, trials * 4);
      expect(more.high - more.low).toBeLessThan(high - low);
    }),
  );
});
