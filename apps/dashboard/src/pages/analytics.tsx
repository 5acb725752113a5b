/** Analytics: what the tests showed, per model and over time. */
import type { RedTeamSummary } from "@mlsec/contracts";
import { useState } from "react";
import { CartesianGrid, Legend, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { Bars } from "../components/Bars.tsx";
import { Card, Figure, PageTitle } from "../components/Card.tsx";
import { Empty, Loaded } from "../components/Notice.tsx";
import { analytics } from "../lib/api.ts";
import { ago, count, dateTime, percent, title } from "../lib/format.ts";
import { definePage } from "../lib/page.ts";
import { navigate } from "../lib/router.ts";
import { useQuery } from "../lib/use-query.ts";

const ranges = [
  { name: "7 days", days: 7 },
  { name: "30 days", days: 30 },
  { name: "All time", days: undefined },
] as const;
const lines = ["var(--accent)", "var(--warn)", "var(--good)", "var(--bad)"];

function Analytics() {
  const [days, setDays] = useState<number | undefined>(undefined);
  const query = days === undefined ? {} : { days };
  const summary = useQuery(`summary ${days}`, () => analytics.summary({ query }), 10_000);
  const trends = useQuery(`trends ${days}`, () => analytics.trends({ query }), 30_000);
  return (
    <>
      <PageTitle title="Analytics">
        <span className="row segments" role="group" aria-label="Time range">
          {ranges.map((r) => (
            <button key={r.name} type="button" aria-pressed={r.days === days} onClick={() => setDays(r.days)}>
              {r.name}
            </button>
          ))}
        </span>
      </PageTitle>
      <Loaded query={summary} rows={6}>
        {(data) =>
          data.total_tests === 0 ? (
            <Empty title="No tests in this time">Run one on the Red Team page, or choose a longer time.</Empty>
          ) : (
            <Summary data={data} />
          )
        }
      </Loaded>
      <Card title="Detection rate by day" wide>
        <Loaded query={trends}>
          {(data) =>
            data.trends.length === 0 ? <Empty title="No labelled tests in this time" /> : <Trend rows={data.trends} />
          }
        </Loaded>
      </Card>
    </>
  );
}

function Summary({ data }: { data: RedTeamSummary }) {
  const models = Object.entries(data.model_performance).sort((a, b) => b[1].detection_rate - a[1].detection_rate);
  const attacks = models.reduce((sum, [, m]) => sum + m.attacks, 0);
  return (
    <div className="grid">
      <Card title="In short" wide>
        <div className="figures">
          <Figure label="Tests" value={count(data.total_tests)} />
          <Figure
            label="Average detection rate"
            value={percent(data.average_detection_rate)}
            note="over labelled tests"
          />
          <Figure
            label="Average false positives"
            value={percent(data.average_false_positive_rate)}
            note="on benign twins"
          />
          <Figure label="Attacks judged" value={count(attacks)} />
          <Figure
            label="Best model"
            value={models[0]?.[0] ?? "–"}
            note={models[0] ? `${percent(models[0][1].detection_rate)} detected` : ""}
          />
        </div>
      </Card>
      <Card title="Models" wide>
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th>Model</th>
                <th className="num">Detected</th>
                <th className="num">False positives</th>
                <th className="num">Attacks</th>
                <th className="num">Tests</th>
                <th>Last test</th>
              </tr>
            </thead>
            <tbody>
              {models.map(([name, m]) => (
                <tr key={name}>
                  <td>{name}</td>
                  <td className="num">{percent(m.detection_rate)}</td>
                  <td className="num">{percent(m.false_positive_rate)}</td>
                  <td className="num">{count(m.attacks)}</td>
                  <td className="num">{count(m.tests)}</td>
                  <td>{ago(m.last_test)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
      <Card title="Detection by category">
        <Bars label="Detection by category" rows={byCategory(data)} />
      </Card>
      <Card title="Newest tests">
        <ul className="plain">
          {data.summary.slice(0, 8).map((t) => (
            <li key={t.test_id}>
              <button type="button" className="link" onClick={() => navigate(`/red-team?test=${t.test_id}`)}>
                {t.model_name} v{t.model_version ?? "?"}
              </button>{" "}
              <span className="quiet small">
                {dateTime(t.created_at)} · {title(t.trigger)} ·{" "}
                {t.labelled
                  ? `${percent(t.detection_rate)} of ${t.total_attacks}`
                  : `${t.vulnerabilities_found} flagged, unlabelled`}
              </span>
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}

function byCategory(data: RedTeamSummary) {
  const sums = new Map<string, { attacks: number; detected: number }>();
  for (const test of data.summary) {
    if (!test.labelled) continue;
    for (const [name, c] of Object.entries(test.by_category)) {
      const sum = sums.get(name) ?? { attacks: 0, detected: 0 };
      sums.set(name, { attacks: sum.attacks + c.attacks, detected: sum.detected + c.detected });
    }
  }
  return [...sums].map(([name, c]) => ({
    name: title(name),
    share: c.detected / Math.max(1, c.attacks),
    text: `${c.detected} of ${c.attacks}`,
    tone: "good",
  }));
}

function Trend({ rows }: { rows: readonly { date: string; model_name: string; detection_rate: number }[] }) {
  const models = [...new Set(rows.map((r) => r.model_name))];
  const dates = [...new Set(rows.map((r) => r.date))].sort();
  const points = dates.map(
    (date) =>
      Object.fromEntries([
        ["date", date],
        ...rows.filter((r) => r.date === date).map((r) => [r.model_name, r.detection_rate]),
      ]) as Record<string, string | number>,
  );
  return (
    <div className="chart tall" role="img" aria-label="Detection rate by day and model">
      <ResponsiveContainer width="100%" height="100%">
        <LineChart data={points} margin={{ top: 8, right: 12, bottom: 0, left: -8 }}>
          <CartesianGrid stroke="var(--line)" vertical={false} />
          <XAxis dataKey="date" tickLine={false} />
          <YAxis domain={[0, 1]} tickFormatter={(v: number) => `${v * 100} %`} tickLine={false} axisLine={false} />
          <Tooltip formatter={(v) => percent(Number(v))} isAnimationActive={false} />
          <Legend />
          {models.map((name, i) => (
            <Line
              key={name}
              dataKey={name}
              stroke={lines[i % lines.length] ?? "var(--accent)"}
              strokeWidth={2}
              dot={{ r: 3 }}
              connectNulls
              isAnimationActive={false}
            />
          ))}
        </LineChart>
      </ResponsiveContainer>
    </div>
  );
}

export default definePage({
  path: "/analytics",
  title: "Analytics",
  order: 5,
  icon: "M4 20V10h4v10zm6 0V4h4v16zm6 0v-7h4v7z",
  Component: Analytics,
});
