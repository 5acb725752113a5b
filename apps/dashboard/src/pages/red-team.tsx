/** Red Team: attack a detector, with benign twins beside the attacks, and read what got through. */
import type { TestResult, TestSummary } from "@mlsec/contracts";
import { useState } from "react";
import { Attempts } from "../components/Attempts.tsx";
import { Bars, Progress } from "../components/Bars.tsx";
import { Card, Figure, PageTitle } from "../components/Card.tsx";
import { CompareTests } from "../components/CompareTests.tsx";
import { Findings } from "../components/Findings.tsx";
import { Matrix } from "../components/Matrix.tsx";
import { Empty, Failed, Loaded, Loading } from "../components/Notice.tsx";
import { Risk } from "../components/Risk.tsx";
import { StartTest } from "../components/StartTest.tsx";
import { Outcome, TestRow, triggers } from "../components/TestRow.tsx";
import { address, redTeam } from "../lib/api.ts";
import { count, dateTime, percent, title } from "../lib/format.ts";
import { definePage } from "../lib/page.ts";
import { navigate, useAddress } from "../lib/router.ts";
import { useAction, useQuery } from "../lib/use-query.ts";

function RedTeam() {
  const tests = useQuery("tests", () => redTeam.results({ query: { limit: 30 } }), 3000);
  const asked = useAddress().searchParams.get("test");
  const id = asked ?? tests.data?.results[0]?.test_id;
  const select = (test: string): void => navigate(`/red-team?test=${test}`);
  return (
    <>
      <PageTitle title="Red Team">
        Every attack is sent beside a benign twin of the same shape: a detector that flags everything fails, too.
      </PageTitle>
      <div className="grid">
        <Card title="Start a test">
          <StartTest
            started={(test) => {
              tests.reload();
              select(test);
            }}
          />
        </Card>
        <Card title="Tests">
          <Loaded query={tests}>
            {({ results }) =>
              results.length === 0 ? (
                <Empty title="No test so far" />
              ) : (
                <div className="list tall-list">
                  {results.map((t) => (
                    <TestRow key={t.test_id} test={t} selected={t.test_id === id} onSelect={() => select(t.test_id)} />
                  ))}
                </div>
              )
            }
          </Loaded>
        </Card>
        {id ? (
          <Result
            key={id}
            id={id}
            running={tests.data?.results.find((t) => t.test_id === id)?.status === "running"}
            tests={tests.data?.results ?? []}
          />
        ) : null}
      </div>
    </>
  );
}

interface ResultProps {
  readonly id: string;
  readonly running: boolean;
  readonly tests: readonly TestSummary[];
}

function Result({ id, running, tests }: ResultProps) {
  const [seen] = useState(() => running);
  const result = useQuery(`${id} ${running}`, () => redTeam.result({ params: { id } }), running ? 1500 : undefined);
  const cancel = useAction(async () => {
    await redTeam.cancel({ params: { id } });
    result.reload();
  });
  if (!result.data)
    return (
      <Card title="Result" wide>
        {result.error ? <Failed retry={result.reload}>{result.error}</Failed> : <Loading rows={seen ? 2 : 5} />}
      </Card>
    );
  const test = result.data;
  return (
    <>
      <Card title={`${test.model_name} version ${test.model_version}`} wide aside={<Outcome test={test} />}>
        {test.status === "running" ? (
          <div className="row">
            <Progress value={test.total > 0 ? (100 * test.done) / test.total : 0} label="Progress" />
            <span className="quiet small">
              {count(test.done)} of {count(test.total)}
            </span>
            <button type="button" disabled={cancel.busy} onClick={cancel.run}>
              Cancel
            </button>
          </div>
        ) : null}
        {test.error ? <Failed>{test.error}</Failed> : null}
        <Figures test={test} />
        <div className="grid inner">
          <Split name="By category" of={test.by_category} />
          <Split name="By mutator" of={test.by_mutator} />
        </div>
        <p className="quiet small">
          {triggers[test.trigger]}, {dateTime(test.created_at)}
          {test.seed === null ? "" : `, seed ${test.seed}`}
        </p>
        {test.status === "running" ? null : <Downloads id={test.test_id} />}
      </Card>
      {test.status === "running" ? null : (
        <>
          <Matrix testId={id} version={test.status} />
          <Findings testId={id} version={test.status} />
          <Risk model={test.model_name} version={`${id} ${test.status}`} />
          <CompareTests test={test} tests={tests} />
        </>
      )}
      {test.results.length > 0 ? (
        <Card title="Attempts" wide>
          <Attempts results={test.results} />
        </Card>
      ) : null}
    </>
  );
}

const formats = [
  ["html", "HTML"],
  ["md", "Markdown"],
  ["sarif", "SARIF"],
  ["junit.xml", "JUnit"],
  ["csv", "CSV"],
  ["json", "JSON"],
  ["jsonl", "JSONL"],
] as const;

const Downloads = ({ id }: { id: string }) => (
  <p className="row filters small">
    Report:
    {formats.map(([format, name]) => (
      <a key={format} href={address("red-team", `/reports/${id}.${format}`)} target="_blank" rel="noreferrer">
        {name}
      </a>
    ))}
  </p>
);

const Figures = ({ test }: { test: TestResult }) => (
  <div className="figures">
    <Figure
      label={test.overall_status === "UNLABELLED" ? "Share flagged" : "Detection rate"}
      value={percent(test.detection_rate)}
      note={
        test.confidence_interval
          ? `95 %: ${percent(test.confidence_interval.low)} to ${percent(test.confidence_interval.high)}`
          : ""
      }
    />
    <Figure
      label="False positives"
      value={percent(test.false_positive_rate)}
      note={test.total_benign > 0 ? `${test.false_alarms} of ${test.total_benign} twins` : "no benign texts ran"}
    />
    <Figure
      label="Missed attacks"
      value={count(test.vulnerabilities_found)}
      note={`of ${count(test.total_attacks)}`}
      tone={test.vulnerabilities_found > 0 ? "bad" : "good"}
    />
    <Figure label="Risk score" value={test.risk_score === null ? "–" : `${Math.round(test.risk_score)} / 100`} />
    <Figure label="Errored" value={count(test.errored)} tone={test.errored > 0 ? "warn" : undefined} />
  </div>
);

function Split({ name, of }: { name: string; of: TestResult["by_category"] }) {
  const rows = Object.entries(of).sort((a, b) => a[1].detection_rate - b[1].detection_rate);
  return (
    <div>
      <h3>{name}</h3>
      {rows.length === 0 ? (
        <Empty title="Nothing labelled" />
      ) : (
        <Bars
          label={name}
          rows={rows.map(([id, c]) => ({
            name: title(id),
            share: c.detection_rate,
            text: `${c.detected} of ${c.attacks}`,
            tone: "good",
            interval: c.confidence_interval,
          }))}
        />
      )}
    </div>
  );
}

export default definePage({
  path: "/red-team",
  title: "Red Team",
  order: 4,
  icon: "M12 2a10 10 0 1 0 10 10h-2a8 8 0 1 1-8-8zm0 5a5 5 0 1 0 5 5h-2a3 3 0 1 1-3-3zM20 2l-4 4v2l-4.200 4.200 1.400 1.400L17.400 9.400h2L22 6h-2z",
  Component: RedTeam,
});
