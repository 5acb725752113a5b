import { expect, test } from "vitest";
import { byMinute } from "./series.ts";

test("slots add up by minute, silent minutes are zero, older slots are left out", () => {
  const slot = (at: string, verdicts: number, attacks: number) => ({ at, verdicts, attacks, p50_ms: null });
  const series = [
    slot("2026-01-01T09:55:10.000Z", 9, 9),
    slot("2026-01-01T10:00:00.000Z", 2, 1),
    slot("2026-01-01T10:00:50.000Z", 3, 0),
  ];
  const rows = byMinute(series, 3, Date.parse("2026-01-01T10:01:30.000Z"));
  expect(rows.map((r) => [r.verdicts, r.attacks])).toEqual([
    [0, 0],
    [5, 1],
    [0, 0],
  ]);
  expect(rows[2]?.at).toBe("2026-01-01T10:01:00.000Z");
});
