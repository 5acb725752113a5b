/** Findings: filter, look, decide, put off, send again. */
import type { Finding, FindingState, Severity } from "@mlsec/contracts";
import { useState } from "react";
import { redTeam } from "../lib/api.ts";
import { count, dateTime, title } from "../lib/format.ts";
import { useQuery } from "../lib/use-query.ts";
import { Badge, Card, type Tone } from "./Card.tsx";
import { Empty, Loaded } from "./Notice.tsx";
import { TriageFinding } from "./TriageFinding.tsx";

const states: readonly FindingState[] = ["open", "confirmed", "false_positive", "accepted_risk", "fixed"];
const severities: readonly Severity[] = ["critical", "high", "medium", "low"];
const tones: Record<Severity, Tone> = { critical: "bad", high: "bad", medium: "warn", low: "quiet" };
const pageSize = 20;

export function Findings({ testId, version }: { testId: string; version: string }) {
  const [ofTest, setOfTest] = useState(true);
  const [state, setState] = useState<FindingState | "">("open");
  const [severity, setSeverity] = useState<Severity | "">("");
  const [suppressed, setSuppressed] = useState(false);
  const [limit, setLimit] = useState(pageSize);
  const [selected, setSelected] = useState<string>();
  const query = {
    limit,
    suppressed: suppressed ? ("yes" as const) : ("no" as const),
    ...(ofTest ? { test_id: testId } : {}),
    ...(state === "" ? {} : { state }),
    ...(severity === "" ? {} : { severity }),
  };
  const findings = useQuery(`findings ${version} ${JSON.stringify(query)}`, () => redTeam.findings({ query }));
  return (
    <Card
      title="Findings"
      wide
      aside={findings.data ? <span className="quiet">{count(findings.data.total)}</span> : null}
    >
      <div className="row filters">
        <span className="row segments" role="group" aria-label="Whose findings">
          <button type="button" aria-pressed={ofTest} onClick={() => setOfTest(true)}>
            This test
          </button>
          <button type="button" aria-pressed={!ofTest} onClick={() => setOfTest(false)}>
            All tests
          </button>
        </span>
        <select aria-label="State" value={state} onChange={(e) => setState(e.target.value as FindingState | "")}>
          <option value="">any state</option>
          {states.map((s) => (
            <option key={s} value={s}>
              {title(s)}
            </option>
          ))}
        </select>
        <select aria-label="Severity" value={severity} onChange={(e) => setSeverity(e.target.value as Severity | "")}>
          <option value="">any severity</option>
          {severities.map((s) => (
            <option key={s} value={s}>
              {title(s)}
            </option>
          ))}
        </select>
        <label className="check">
          <input type="checkbox" checked={suppressed} onChange={() => setSuppressed(!suppressed)} /> Suppressed
        </label>
      </div>
      <Loaded query={findings}>
        {(page) =>
          page.findings.length === 0 ? (
            <Empty title="No such finding">
              A finding is a missed attack or a false alarm, kept once over all tests.
            </Empty>
          ) : (
            <div className="list">
              {page.findings.map((finding) => (
                <div key={finding.finding_id}>
                  <FindingRow
                    finding={finding}
                    selected={finding.finding_id === selected}
                    onSelect={() => setSelected(finding.finding_id === selected ? undefined : finding.finding_id)}
                  />
                  {finding.finding_id === selected ? (
                    <TriageFinding key={finding.finding_id} id={finding.finding_id} changed={findings.reload} />
                  ) : null}
                </div>
              ))}
              {page.next_cursor ? (
                <button type="button" onClick={() => setLimit(Math.min(500, limit + 4 * pageSize))}>
                  Show more of {count(page.total)}
                </button>
              ) : null}
            </div>
          )
        }
      </Loaded>
    </Card>
  );
}

interface RowProps {
  readonly finding: Finding;
  readonly selected: boolean;
  readonly onSelect: () => void;
}

const FindingRow = ({ finding, selected, onSelect }: RowProps) => (
  <button type="button" className="job" aria-expanded={selected} aria-pressed={selected} onClick={onSelect}>
    <div className="job-head">
      <b>
        {finding.pattern ?? "Given text"} <span className="quiet">× {finding.mutator ?? "none"}</span>
      </b>
      <Badge tone={tones[finding.severity]}>{title(finding.severity)}</Badge>
      <span className="quiet small">{finding.suppression ? "Suppressed" : title(finding.state)}</span>
    </div>
    <div className="quiet small">
      {finding.kind === "missed" ? `missed ${title(finding.category).toLowerCase()}` : "false alarm on a harmless text"}{" "}
      · {finding.model_name} {finding.versions.map((v) => `v${v}`).join(", ")} · seen{" "}
      {finding.occurrences === 1 ? "once" : `${count(finding.occurrences)} times`}, last {dateTime(finding.last_seen)}
    </div>
  </button>
);
