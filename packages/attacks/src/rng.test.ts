import { expect, test } from "vitest";
import { createRng } from "./rng.ts";
import { findingSeverity, riskScore } from "./severity.ts";

test("a seed fixes the stream, forks do not depend on what was drawn", () => {
  const draws = (seed: number | string): number[] => {
    const rng = createRng(seed);
    return Array.from({ length: 5 }, () => rng.int(1000));
  };
  expect(draws(1)).toEqual(draws(1));
  expect(draws(1)).not.toEqual(draws(2));
  expect(draws("a")).not.toEqual(draws("b"));
  const used = createRng(3);
  used.next();
  expect(used.fork("x").next()).toBe(createRng(3).fork("x").next());
});

test("numbers are even enough and shuffles lose nothing", () => {
  const rng = createRng(8);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 20_000; i++) {
    const k = rng.int(10);
    counts[k] = (counts[k] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
  expect(rng.shuffle([1, 2, 3, 4, 5]).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
});

test("the risk score weighs misses by severity; a disguise makes a finding one step milder", () => {
  expect(riskScore([])).toBeNull();
  expect(
    riskScore([
      { severity: "critical", detected: false },
      { severity: "low", detected: true },
    ]),
  ).toBeCloseTo((100 * 8) / 9);
  expect(findingSeverity("high", null)).toBe("high");
  expect(findingSeverity("high", "base64")).toBe("medium");
  expect(findingSeverity("low", "base64")).toBe("low");
  expect(findingSeverity("critical", "rot13+base64")).toBe("medium");
  expect(findingSeverity("critical", "base64@words(0.3)")).toBe("high");
});
