/** One red-team test on one line. */
import type { TestSummary } from "@mlsec/contracts";
import { ago, percent } from "../lib/format.ts";
import { Badge, type Tone } from "./Card.tsx";

const tones: Record<string, Tone> = { PASS: "good", FAIL: "bad", UNLABELLED: "quiet" };

export const Outcome = ({ test }: { test: TestSummary }) =>
  test.overall_status ? (
    <Badge tone={tones[test.overall_status] ?? "quiet"}>{test.overall_status}</Badge>
  ) : (
    <Badge tone={test.status === "failed" ? "bad" : "info"}>{test.status}</Badge>
  );

export const triggers: Record<TestSummary["trigger"], string> = {
  manual: "given texts",
  first_start: "first-start self-test",
  generated: "generated attacks",
};

export const describeTest = (test: TestSummary): string =>
  `${percent(test.detection_rate)} detected of ${test.total_attacks} attacks` +
  (test.total_benign > 0 ? `, ${percent(test.false_positive_rate)} false alarms on ${test.total_benign} benign` : "") +
  (test.errored > 0 ? `, ${test.errored} errored` : "");

export function TestRow({ test, selected, onSelect }: { test: TestSummary; selected?: boolean; onSelect: () => void }) {
  return (
    <button type="button" className="job" aria-pressed={selected} onClick={onSelect}>
      <div className="job-head">
        <b>
          {test.model_name} <span className="quiet">v{test.model_version}</span>
        </b>
        <Outcome test={test} />
        <span className="quiet small">{ago(test.created_at)}</span>
      </div>
      <div className="quiet small">
        {triggers[test.trigger]} · {describeTest(test)}
      </div>
    </button>
  );
}
