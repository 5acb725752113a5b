import type { TestSummary } from "@mlsec/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Answer, RiskCount } from "./answer-store.ts";
import { compareTests } from "./compare.ts";
import { matrixOf } from "./matrix.ts";
import { riskOf } from "./risk.ts";
import { severityParts } from "./severity.ts";
import { difference, wilson } from "./statistics.ts";

const answer = (attack_key: string, isWrong: boolean): Answer => ({
  ...{ attack_key, isWrong, benign: false, category: "jailbreak", pattern: "p", mutator: null },
  ...{ severity: "high", finding_id: null },
});
const summary = (detected: number, attacks: number) =>
  ({
    ...{ test_id: "t", model_name: "m", model_version: "1", created_at: "2026-11-22T00:00:00Z", seed: 7, errored: 0 },
    ...{
      detection_rate: detected / attacks,
      confidence_interval: wilson(detected, attacks),
      false_positive_rate: null,
    },
    ...{ total_attacks: attacks, total_benign: 0, false_alarms: 0, vulnerabilities_found: attacks - detected },
    by_category: { jailbreak: { attacks, detected, detection_rate: detected / attacks, confidence_interval: null } },
  }) as unknown as TestSummary;

test("new, fixed and same are of what both tests asked", () => {
  const base = [answer("a", true), answer("b", true), answer("c", false), answer("d", true)];
  const other = [answer("a", false), answer("b", true), answer("c", true), answer("e", true)];
  const compared = compareTests({ test: summary(1, 4), answers: base }, { test: summary(1, 4), answers: other });
  expect(compared).toMatchObject({ shared: 3, unshared: { base: 1, other: 1 }, detection_difference: { value: 0 } });
  expect(compared).toMatchObject({ fixed: { count: 1, of: 2 }, same: { count: 1, of: 2 }, new: { count: 1, of: 1 } });
  expect(compared.rows.fixed).toHaveLength(1);
  expect(compared.false_positive_difference).toBeNull();
});

test("Newcombe's interval: his example, 56 of 70 against 48 of 80", () => {
  const { value, low, high } = difference({ hits: 48, of: 80 }, { hits: 56, of: 70 }) ?? expect.fail();
  expect(value).toBeCloseTo(0.2, 9);
  expect(low).toBeCloseTo(0.0524, 4);
  expect(high).toBeCloseTo(0.3339, 4);
  expect(difference({ hits: 0, of: 0 }, { hits: 1, of: 1 })).toBeNull();
});

const riskCount = fc.record<RiskCount>({
  model_name: fc.constant("m"),
  model_version: fc.constant("1"),
  category: fc.constantFrom("jailbreak", "code_injection"),
  benign: fc.boolean(),
  mutated: fc.boolean(),
  severity: fc.constantFrom("low", "medium", "high", "critical"),
  isWrong: fc.boolean(),
  accepted: fc.boolean(),
  count: fc.integer({ min: 1, max: 50 }),
});

test("the parts of a risk add up to it; accepting a risk moves points, it does not lose them", () => {
  fc.assert(
    fc.property(fc.array(riskCount, { maxLength: 20 }), (rows) => {
      const risk = riskOf(rows);
      const points = risk.parts.reduce((sum, part) => sum + part.points, 0);
      expect(risk.risk_score ?? 0).toBeCloseTo(points, 9);
      const nothingAccepted = riskOf(rows.map((row) => ({ ...row, accepted: false })));
      expect((risk.risk_score ?? 0) + risk.accepted_risk).toBeCloseTo(nothingAccepted.risk_score ?? 0, 9);
      expect(risk.risk_score ?? 0).toBeLessThanOrEqual(100);
    }),
  );
  const missed: RiskCount = {
    model_name: "m",
    model_version: "1",
    category: "jailbreak",
    benign: false,
    mutated: false,
    severity: "high",
    isWrong: true,
    accepted: false,
    count: 1,
  };
  expect(riskOf([missed, { ...missed, isWrong: false, severity: "low", count: 4 }]).risk_score).toBe(50);
});

test("severity: impact times exposure", () => {
  expect(severityParts(8, null)).toEqual({ impact: 8, exposure: 1, weight: 8 });
  expect(severityParts(8, "rot13+base64")).toEqual({ impact: 8, exposure: 0.25, weight: 2 });
  expect(severityParts(1, "base64@half(first)")).toEqual({ impact: 1, exposure: 0.5, weight: 1 });
});

test("a cell counts answers; errors are apart", () => {
  const row = { pattern: "p", mutator: "none", benign: false };
  const cells = matrixOf([
    { ...row, status: "detected", count: 3 },
    { ...row, status: "missed", count: 1 },
    { ...row, status: "errored", count: 2 },
    { ...row, benign: true, status: "false_alarm", count: 1 },
    { ...row, benign: true, status: "passed", count: 4 },
  ]);
  expect(cells).toMatchObject([{ attacks: 4, detected: 3, errored: 2, twins: 5, false_alarms: 1 }]);
});
