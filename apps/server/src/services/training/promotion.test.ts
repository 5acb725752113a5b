import type { GateFigures } from "@mlsec/contracts";
import { expect, test } from "vitest";
import { decidePromotion, gateScore } from "./promotion.ts";

const figures = (version: string, recall: number, fpr: number): GateFigures => ({
  version,
  recall,
  false_positive_rate: fpr,
  macro_f1: 0.5,
  roc_auc: null,
  accuracy: 0.5,
  threshold: 0.5,
  attacks: 200,
  benign: 100,
});
const champion = figures("1", 0.8, 0.02);

test.each([
  ["better on both", 0.9, 0.01, "promoted"],
  ["as good", 0.8, 0.02, "kept"],
  ["more recall for one point of false positives", 0.9, 0.03, "promoted"],
  ["more recall for two points", 0.9, 0.04, "kept"],
  ["a lower score with fewer false positives", 0.7, 0, "kept"],
])("if_better: %s", (_, recall, fpr, decision) => {
  expect(decidePromotion("if_better", figures("2", recall, fpr), champion).decision).toBe(decision);
});

test("the reason carries the figures of both", () => {
  const { reason } = decidePromotion("if_better", figures("2", 0.9, 0.04), champion);
  expect(reason).toContain("its false positives rose by more than 1.0 %");
  expect(reason).toContain(
    "version 2: score 93.0 %, recall 90.0 % of 200 attacks, false positives 4.0 % of 100 benign texts",
  );
  expect(reason).toContain("champion version 1: score 89.0 %");
});

test("asked for or not, and without a champion", () => {
  const worse = figures("2", 0.1, 0.5);
  expect(gateScore(worse)).toBeCloseTo(0.3);
  expect(decidePromotion("force", worse, champion).decision).toBe("promoted");
  expect(decidePromotion("never", figures("2", 1, 0), champion).decision).toBe("not_requested");
  expect(decidePromotion("if_better", worse, undefined).decision).toBe("first_champion");
});
