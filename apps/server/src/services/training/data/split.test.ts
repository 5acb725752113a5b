import { seededRandom } from "@mlsec/engine";
import { expect, test } from "vitest";
import { toyRows } from "../testing.ts";
import { cleanRows, splitByGroup } from "./split.ts";

test("repeats go once, near-duplicates of the suite go altogether", () => {
  const rows = toyRows(60, 1);
  const [first, second] = rows;
  const suite = [`${first?.text ?? ""}!`];
  const cleaned = cleanRows([...rows, ...(second ? [second] : [])], suite);
  expect([cleaned.repeated, cleaned.contaminated, cleaned.rows.length]).toEqual([1, 1, 59]);
  expect(cleaned.rows.some((row) => row.text === first?.text)).toBe(false);
});

test("no group stands on both sides, labels keep their share, the same seed gives the same split", () => {
  const rows = toyRows(400, 2).map((row, i) => ({ ...row, group: String(Math.floor(i / 4)) }));
  const { rows: cleaned } = cleanRows(rows, []);
  const split = splitByGroup(cleaned, 0.15, seededRandom(1));
  const held = new Set(split.held.map((row) => row.group));
  expect(split.train.some((row) => held.has(row.group))).toBe(false);
  expect(split.train.length + split.held.length).toBe(400);
  expect(split.held.length).toBeGreaterThan(40);
  expect(split.held.length).toBeLessThan(80);
  const again = splitByGroup(cleaned, 0.15, seededRandom(1));
  expect(again.held.map((row) => row.text)).toEqual(split.held.map((row) => row.text));
});
