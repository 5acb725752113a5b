// Two tests side by side. Only what both asked can be new or fixed; what one alone asked is counted apart.
import type { Comparison, Severity, TestSummary } from "@mlsec/contracts";
import type { Answer } from "./answer-store.ts";
import { difference, intervalOf } from "./statistics.ts";

interface Side {
  readonly test: TestSummary;
  readonly answers: readonly Answer[];
}
const mostRows = 200;
const order: readonly (Severity | null)[] = ["critical", "high", "medium", "low", null];

export function compareTests(base: Side, other: Side): Comparison {
  const theirs = new Map(other.answers.map((answer) => [answer.attack_key, answer]));
  const keys = new Set(base.answers.map((answer) => answer.attack_key));
  const pairs = base.answers.flatMap((before) => {
    const after = theirs.get(before.attack_key);
    return after ? [{ before, after }] : [];
  });
  const fixed = pairs.filter(({ before, after }) => before.isWrong && !after.isWrong).map(({ before }) => before);
  const fresh = pairs.filter(({ before, after }) => !before.isWrong && after.isWrong).map(({ after }) => after);
  const same = pairs.filter(({ before, after }) => before.isWrong && after.isWrong).map(({ after }) => after);
  const wrong = fixed.length + same.length;
  const share = (count: number, of: number) => ({ count, of, interval: intervalOf(count, of) });
  const [before, after] = [countsOf(base.test), countsOf(other.test)];
  return {
    base: sideOf(base.test),
    other: sideOf(other.test),
    detection_difference: before.detected && after.detected ? difference(before.detected, after.detected) : null,
    false_positive_difference: difference(before.alarms, after.alarms),
    shared: pairs.length,
    fixed: share(fixed.length, wrong),
    new: share(fresh.length, pairs.length - wrong),
    same: share(same.length, wrong),
    unshared: {
      base: base.answers.filter((answer) => answer.isWrong && !theirs.has(answer.attack_key)).length,
      other: other.answers.filter((answer) => answer.isWrong && !keys.has(answer.attack_key)).length,
    },
    rows: { new: rowsOf(fresh), fixed: rowsOf(fixed), same: rowsOf(same) },
  };
}

/** Answered ones by side. A test without labels has no detection rate to compare. */
function countsOf(test: TestSummary) {
  const alarms = { hits: test.false_alarms, of: benignAnswered(test) };
  if (test.detection_rate === null || test.total_attacks === 0) return { detected: null, alarms };
  const answered = Object.values(test.by_category).reduce((sum, { attacks }) => sum + attacks, 0);
  return { detected: { hits: answered - test.vulnerabilities_found, of: answered }, alarms };
}

const benignAnswered = ({
  false_positive_rate: rate,
  false_alarms: alarms,
  total_benign: total,
}: TestSummary): number => (rate === null ? 0 : rate === 0 ? total : Math.round(alarms / rate));

function sideOf(test: TestSummary): Comparison["base"] {
  const { test_id, model_name, model_version, created_at, seed, errored } = test;
  return {
    ...{ test_id, model_name, model_version, created_at, seed, errored },
    detection_rate: test.detection_rate,
    detection_interval: test.confidence_interval,
    false_positive_rate: test.false_positive_rate,
    false_positive_interval:
      test.false_positive_rate === null ? null : intervalOf(test.false_alarms, benignAnswered(test)),
  };
}

const rowsOf = (answers: readonly Answer[]): Comparison["rows"]["new"] =>
  answers
    .toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
    .slice(0, mostRows)
    .map(({ benign, category, pattern, mutator, severity, finding_id }) => ({
      kind: benign ? ("false_alarm" as const) : ("missed" as const),
      ...{ category, pattern, mutator, severity, finding_id },
    }));
