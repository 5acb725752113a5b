import { expect, test } from "vitest";
import { createStatsRing } from "./stats.ts";

function ringAt(start: number) {
  let now = start;
  const ring = createStatsRing(() => new Date(now));
  return { ring, at: (next: number) => (now = next) };
}

test("counts by label, latency quantiles within ten percent", () => {
  const { ring } = ringAt(1_000_000);
  for (let i = 1; i <= 100; i++) ring.add({ label: i > 90 ? "jailbreak" : "benign", isAttack: i > 90, latencyMs: i });
  const read = ring.read(15);
  expect(read).toMatchObject({ verdicts: 100, attacks: 10, by_label: { benign: 90, jailbreak: 10 } });
  expect(read.rate_per_second).toBeCloseTo(100 / 900);
  expect(Math.abs((read.latency_ms?.p50 ?? 0) / 50 - 1)).toBeLessThan(0.1);
  expect(Math.abs((read.latency_ms?.p99 ?? 0) / 99 - 1)).toBeLessThan(0.1);
});

test("only the asked-for minutes count, and an hour later all is forgotten", () => {
  const { ring, at } = ringAt(0);
  ring.add({ label: "benign", isAttack: false, latencyMs: 1 });
  at(10 * 60_000);
  ring.add({ label: "benign", isAttack: false, latencyMs: 1 });
  expect(ring.read(5).verdicts).toBe(1);
  expect(ring.read(15).series.map(({ verdicts }) => verdicts)).toEqual([1, 1]);
  at(60 * 60_000);
  ring.add({ label: "benign", isAttack: false, latencyMs: 1 });
  expect(ring.read(60).verdicts).toBe(2);
  at(180 * 60_000);
  expect(ring.read(60)).toMatchObject({ verdicts: 0, latency_ms: null, series: [] });
});
