import { expect, test } from "vitest";
import { coveringWindows, padBatch, planEpoch, splitByBudget, trainingWindow } from "./batch.ts";
import { tellingWindows } from "./evidence.ts";

const specials = { prefix: [1], suffix: [2], padId: 0 };
const plan = { batchSize: 4, maxLength: 16, tokenBudget: 32, seed: 1 };
const lengths = Array.from({ length: 1001 }, (_, i) => 3 + ((i * 7) % 60));
const rowOf = (ids: readonly number[], isAttack = false) => ({ ids: Int32Array.from(ids), label: 0, isAttack });
const counting = (count: number): number[] => Array.from({ length: count }, (_, i) => 10 + i);

test("an epoch visits every row once, in an order of its own", () => {
  const epoch = planEpoch(lengths, plan, 0);
  expect(epoch.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
  expect(planEpoch(lengths, plan, 0)).toEqual(epoch);
  expect(planEpoch(lengths, plan, 1)).not.toEqual(epoch);
});

test("batches waste little on padding", () => {
  const padded = planEpoch(lengths, plan, 0).map((rows) => rows.length * Math.max(...rows.map((i) => lengths[i] ?? 0)));
  const real = lengths.reduce((sum, length) => sum + length, 0);
  expect(padded.reduce((sum, tokens) => sum + tokens, 0) / real).toBeLessThan(1.06);
});

test("runs stay within the token budget, but a row alone may exceed it", () => {
  const parts = splitByBudget([0, 1, 2, 3], [10, 40, 12, 9], 32);
  expect(parts).toEqual([[3, 0], [2], [1]]);
});

test("long benign rows move, long attacks keep their place, short rows are whole", () => {
  const place = { ...plan, epoch: 0, index: 0, start: 5 };
  expect([...trainingWindow(rowOf([7, 8]), specials, { ...place, start: 0 })]).toEqual([1, 7, 8, 2]);
  expect([...trainingWindow(rowOf(counting(40), true), specials, place)].slice(0, 2)).toEqual([1, 15]);
  const firsts = [0, 1, 2, 3, 4].map((epoch) => trainingWindow(rowOf(counting(40)), specials, { ...place, epoch })[1]);
  expect(new Set(firsts).size).toBeGreaterThan(1);
});

test("covering windows reach from head to tail", () => {
  const windows = coveringWindows(rowOf(counting(40)), specials, 16, 3);
  expect(windows).toHaveLength(3);
  expect(windows[0]?.[1]).toBe(10);
  expect(windows[2]?.at(-2)).toBe(49);
  expect(coveringWindows(rowOf([]), specials, 16, 3).map((window) => [...window])).toEqual([[1, 2]]);
});

test("padding fills the rectangle", () => {
  const batch = padBatch([Int32Array.of(1, 2, 3), Int32Array.of(4)], [7, 9], 0);
  expect([...batch.ids]).toEqual([1, 2, 3, 4, 0, 0]);
  expect([...batch.lengths]).toEqual([3, 1]);
});

test("the telling window holds the injection, not its carrier", () => {
  const carrier = counting(60);
  const injection = [501, 502, 503, 504, 505];
  const rows = [
    rowOf(carrier),
    rowOf([...carrier.slice(0, 50), ...injection, ...carrier.slice(50)], true),
    rowOf(injection, true),
    rowOf([...injection, ...carrier], true),
  ];
  const [benign, late, short, early] = tellingWindows(rows, 14);
  expect([benign, short, early]).toEqual([0, 0, 0]);
  expect(late).toBeGreaterThanOrEqual(41);
  expect(late).toBeLessThanOrEqual(51);
});

test("an empty text is one padding token where the tokenizer adds no specials", () => {
  const row = { ids: new Int32Array(), label: 0, isAttack: false };
  expect(coveringWindows(row, { prefix: [], suffix: [], padId: 7 }, 16, 4)).toEqual([Int32Array.of(7)]);
});
