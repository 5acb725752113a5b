/** Two tests side by side: what is new, what is fixed, what stayed. */
import type { Comparison, TestSummary } from "@mlsec/contracts";
import { useState } from "react";
import { redTeam } from "../lib/api.ts";
import { dateTime, percent, title } from "../lib/format.ts";
import { useQuery } from "../lib/use-query.ts";
import { Card, Figure, type Tone } from "./Card.tsx";
import { Empty, Loaded } from "./Notice.tsx";

const mostRows = 20;
const kinds = [
  { id: "new", name: "New", tone: "bad" },
  { id: "fixed", name: "Fixed", tone: "good" },
  { id: "same", name: "Same", tone: undefined },
] as const satisfies readonly { id: keyof Comparison["rows"]; name: string; tone: Tone | undefined }[];

export function CompareTests({ test, tests }: { test: TestSummary; tests: readonly TestSummary[] }) {
  const isAlike = (other: TestSummary): number => Number(other.seed === test.seed && other.total === test.total);
  const others = tests
    .filter((other) => other.test_id !== test.test_id && other.status !== "running")
    .sort((a, b) => isAlike(b) - isAlike(a));
  const [chosen, setChosen] = useState("");
  return (
    <Card title="Compare with an earlier test" wide>
      {others.length === 0 ? (
        <Empty title="There is no other test">Run one with the same seed: then both ask the same texts.</Empty>
      ) : (
        <div className="row filters">
          <select aria-label="Test to compare with" value={chosen} onChange={(e) => setChosen(e.target.value)}>
            <option value="">choose a test …</option>
            {others.map((other) => (
              <option key={other.test_id} value={other.test_id}>
                {other.model_name} v{other.model_version}, {dateTime(other.created_at)}
                {other.seed === null ? "" : `, seed ${other.seed}`}, {percent(other.detection_rate)} detected
              </option>
            ))}
          </select>
        </div>
      )}
      {chosen === "" ? null : <Compared key={chosen} base={chosen} other={test.test_id} />}
    </Card>
  );
}

function Compared({ base, other }: { base: string; other: string }) {
  const compared = useQuery(`compare ${base} ${other}`, () => redTeam.compare({ params: { id: base, other } }));
  const [kind, setKind] = useState<keyof Comparison["rows"]>("new");
  return (
    <Loaded query={compared}>
      {(result) => (
        <>
          <div className="figures">
            <Figure label="Detection rate" {...change(result.detection_difference)} />
            <Figure label="False positives" {...change(result.false_positive_difference)} />
            {kinds.map(({ id, name, tone }) => (
              <Figure
                key={id}
                label={name}
                value={String(result[id].count)}
                tone={result[id].count > 0 ? tone : undefined}
                note={`of ${result[id].of}${result[id].interval ? `, 95 %: ${percent(result[id].interval.low)} to ${percent(result[id].interval.high)}` : ""}`}
              />
            ))}
          </div>
          <p className="quiet small">
            {result.shared} texts were asked in both. Wrong answers to texts that only one asked: {result.unshared.base}{" "}
            before, {result.unshared.other} now.
          </p>
          <div className="filters">
            <span className="row segments" role="group" aria-label="Findings to show">
              {kinds.map(({ id, name }) => (
                <button key={id} type="button" aria-pressed={id === kind} onClick={() => setKind(id)}>
                  {name} ({result[id].count})
                </button>
              ))}
            </span>
          </div>
          {result.rows[kind].length === 0 ? <Empty title="None" /> : null}
          <ul className="plain">
            {result.rows[kind].slice(0, mostRows).map((row, i) => (
              <li key={i} className="small">
                <b>{row.severity ?? ""}</b> {row.kind === "missed" ? "missed" : "false alarm"}{" "}
                {title(row.category ?? "").toLowerCase()} · {row.pattern ?? "given text"} × {row.mutator ?? "none"}
              </li>
            ))}
          </ul>
        </>
      )}
    </Loaded>
  );
}

function change(difference: Comparison["detection_difference"]): { value: string; note: string } {
  if (!difference) return { value: "–", note: "nothing to compare" };
  const points = (share: number): string => `${share > 0 ? "+" : ""}${(share * 100).toFixed(1)}`;
  return {
    value: `${points(difference.value)} points`,
    note: `95 %: ${points(difference.low)} to ${points(difference.high)}`,
  };
}
