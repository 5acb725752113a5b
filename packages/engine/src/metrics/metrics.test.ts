import { expect, test } from "vitest";
import { EngineError } from "../error.ts";
import { brier, ece, fitTemperature, softmax } from "./calibration.ts";
import { accuracy, confusionMatrix, macroF1, perClass } from "./classes.ts";
import { bootstrapInterval, wilsonInterval } from "./intervals.ts";
import { recallAtFpr, rocAuc, thresholdAtFpr } from "./ranking.ts";
import { scorecard } from "./scorecard.ts";
import { seededRandom } from "./seeded.ts";

const truth = [0, 0, 0, 1, 1, 2];
const predicted = [0, 0, 1, 1, 2, 2];

test("class figures, by hand", () => {
  expect(accuracy(truth, predicted)).toBeCloseTo(4 / 6);
  expect(confusionMatrix(truth, predicted, 3)).toEqual([
    [2, 1, 0],
    [0, 1, 1],
    [0, 0, 1],
  ]);
  const [a, b, c] = perClass(truth, predicted, 3);
  expect(a).toEqual({ precision: 1, recall: 2 / 3, f1: 0.8, support: 3 });
  expect(b).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5, support: 2 });
  expect(c).toEqual({ precision: 0.5, recall: 1, f1: 2 / 3, support: 1 });
  expect(macroF1(truth, predicted, 3)).toBeCloseTo((0.8 + 0.5 + 2 / 3) / 3);
  expect(macroF1(truth, predicted, 5)).toBeCloseTo((0.8 + 0.5 + 2 / 3) / 3); // classes that never occur do not count
  expect(accuracy(truth, predicted, [0, 0, 1, 0, 0, 1])).toBe(0.5);
  expect(() => confusionMatrix([3], [0], 3)).toThrow(EngineError);
  expect(() => accuracy([], [])).toThrow(EngineError);
});

test("ranking figures, by hand", () => {
  const scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
  const isAttack = [1, 0, 1, 1, 0, 0];
  // attacks beat benign: 0.9 beats 3, 0.7 beats 2, 0.6 beats 2 of 3 × 3 pairs
  expect(rocAuc(scores, isAttack)).toBeCloseTo(7 / 9);
  expect(rocAuc([1, 1], [1, 0])).toBe(0.5);
  expect(recallAtFpr(scores, isAttack, 0)).toBeCloseTo(1 / 3);
  expect(recallAtFpr(scores, isAttack, 0.34)).toBe(1);
  expect(thresholdAtFpr(scores, isAttack, 0)).toBeCloseTo(0.85);
  expect(thresholdAtFpr(scores, isAttack, 0.34)).toBeCloseTo(0.55);
  expect(thresholdAtFpr([0.5, 0.5], [0, 0], 0)).toBeGreaterThan(0.5);
  expect(thresholdAtFpr([0.5, 0.2], [0, 0], 1)).toBe(0.2);
  expect(() => rocAuc([1], [1])).toThrow(EngineError);
  expect(() => rocAuc([Number.NaN, 1], [1, 0])).toThrow(EngineError);
  expect(() => thresholdAtFpr([1], [1], 0.1)).toThrow(EngineError);
});

test("the threshold never lets more benign rows through than asked", () => {
  const random = seededRandom(3);
  for (let round = 0; round < 50; round++) {
    const scores = Float64Array.from({ length: 101 }, () => Math.round(random() * 20) / 20);
    const isAttack = Array.from(scores, (score) => (random() < score ? 1 : 0));
    for (const fpr of [0, 0.01, 0.1]) {
      const threshold = thresholdAtFpr(scores, isAttack, fpr);
      const benign = Array.from(scores).filter((_, i) => isAttack[i] === 0);
      expect(benign.filter((score) => score >= threshold).length / benign.length).toBeLessThanOrEqual(fpr);
      const attacks = Array.from(scores).filter((_, i) => isAttack[i] === 1);
      const recall = attacks.filter((score) => score >= threshold).length / attacks.length;
      expect(recall).toBeCloseTo(recallAtFpr(scores, isAttack, fpr));
    }
  }
});

test("calibration figures, by hand", () => {
  expect(ece([1, 1, 0], [1, 0, 0])).toBeCloseTo(1 / 3);
  expect(ece([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0])).toBeCloseTo(0);
  expect(brier([0.5, 1], [1, 0])).toBeCloseTo((0.25 + 1) / 2);
  expect(Array.from(softmax([0, Math.log(3)], 2))).toEqual([expect.closeTo(0.25), expect.closeTo(0.75)]);
  expect(Array.from(softmax([0, 1000], 2))).toEqual([0, 1]);
});

test("the temperature undoes a scaling of the logits", () => {
  const random = seededRandom(5);
  const logits: number[] = [];
  const labels: number[] = [];
  for (let row = 0; row < 4000; row++) {
    const z = (random() - 0.5) * 6;
    labels.push(random() < 1 / (1 + Math.exp(-z)) ? 0 : 1);
    logits.push(z * 4, 0);
  }
  expect(fitTemperature(logits, labels)).toBeCloseTo(4, 0);
  expect(fitTemperature([5, 0, 5, 0], [0, 0])).toBeLessThan(0.2); // flat where the loss underflows
  expect(() => fitTemperature([1, 2, 3], [0, 1])).toThrow(EngineError);
});

test("intervals: Wilson by table, bootstrap seeded, wider when rows hang together", () => {
  expect(wilsonInterval(8, 10)).toEqual({
    value: 0.8,
    low: expect.closeTo(0.4902, 4),
    high: expect.closeTo(0.9433, 4),
  });
  const hits = Array.from({ length: 200 }, (_, i) => (i < 100 ? 1 : 0));
  const mean = (weights: Float64Array): number => {
    let [sum, total] = [0, 0];
    for (const [i, weight] of weights.entries()) {
      sum += weight * (hits[i] ?? 0);
      total += weight;
    }
    return sum / total;
  };
  const rows = bootstrapInterval(mean, { rows: 200, seed: 1 });
  expect(rows).toEqual(bootstrapInterval(mean, { rows: 200, seed: 1 }));
  expect(rows.value).toBe(0.5);
  expect(rows.low).toBeCloseTo(0.43, 1);
  expect(rows.high).toBeCloseTo(0.57, 1);
  const grouped = bootstrapInterval(mean, { rows: 200, groups: hits.map((_, i) => Math.floor(i / 20)), seed: 1 });
  expect(grouped.high - grouped.low).toBeGreaterThan(2 * (rows.high - rows.low));
});

test("a scorecard counts what it says", () => {
  const labels = ["prompt_injection", "jailbreak", "benign"];
  const row = (label: string, probabilities: number[], more: object = {}) => ({ label, probabilities, ...more });
  const card = scorecard(
    [
      row("prompt_injection", [0.8, 0.1, 0.1], { language: "en", length: 10 }),
      row("jailbreak", [0.6, 0.3, 0.1], { language: "en", length: 61 }),
      row("jailbreak", [0.1, 0.2, 0.7], { language: "de", length: 7000, source: "s" }),
      row("benign", [0.1, 0.1, 0.8], { language: "en", length: 60 }),
      row("benign", [0.0, 0.6, 0.4], { language: "de", length: 300 }),
    ],
    { labels, threshold: 0.5, rounds: 50 },
  );
  expect(card.confusion).toEqual([
    [1, 0, 0],
    [1, 0, 1],
    [0, 1, 1],
  ]);
  expect(card).toMatchObject({ rows: 5, groups: 5, attacks: 3, benign: 2 });
  expect(card.detectionRate?.value).toBeCloseTo(2 / 3);
  expect(card.falsePositiveRate?.value).toBe(0.5);
  expect(card.rocAuc?.value).toBeCloseTo(5 / 6);
  expect(card.accuracy.value).toBeCloseTo(2 / 5);
  expect(card.slices.language["en"]).toMatchObject({ rows: 3, attacks: 2, benign: 1, detectionRate: { value: 1 } });
  expect(card.slices.length["≤ 60"]?.rows).toBe(2);
  expect(card.slices.length["> 6000"]?.falsePositiveRate).toBeNull();
  expect(JSON.parse(JSON.stringify(card))).toEqual(card);
  const benignOnly = scorecard([row("benign", [0, 0, 1])], { labels, threshold: 0.5, rounds: 5 });
  expect(benignOnly).toMatchObject({ rocAuc: null, detectionRate: null, falsePositiveRate: { value: 0 } });
  expect(() => scorecard([row("x", [1])], { labels, threshold: 0.5 })).toThrow(EngineError);
});
