/** Overview: the whole system on one page, live. */
import { LivePicture } from "@mlsec/contracts";
import { Area, AreaChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { Bars } from "../components/Bars.tsx";
import { Badge, Card, Figure, PageTitle, type Tone } from "../components/Card.tsx";
import { JobRow } from "../components/JobRow.tsx";
import { Empty, Failed, Loading } from "../components/Notice.tsx";
import { describeTest, Outcome, triggers } from "../components/TestRow.tsx";
import { TryText } from "../components/TryText.tsx";
import { address } from "../lib/api.ts";
import { ago, clock, count, millis, percent, title } from "../lib/format.ts";
import { useLive } from "../lib/live.ts";
import { definePage } from "../lib/page.ts";
import { byMinute } from "../lib/series.ts";
import { navigate } from "../lib/router.ts";

const healthTone: Record<string, Tone> = { healthy: "good", degraded: "warn", down: "bad" };

function Overview() {
  const live = useLive(address("monitoring", "/api/live"), "picture", LivePicture);
  const picture = live.data;
  const overall = picture?.health.overall;
  return (
    <>
      <PageTitle title="Overview">
        {overall ? (
          <Badge tone={healthTone[overall] ?? "quiet"}>
            {overall === "healthy" ? "All services healthy" : `System ${overall}`}
          </Badge>
        ) : null}{" "}
        <span className="quiet small">
          {live.connected ? "live" : live.failed ? "connection lost, trying again …" : "connecting …"}
        </span>
      </PageTitle>
      {live.failed && !picture ? <Failed>The live stream does not answer. Is the system still running?</Failed> : null}
      <TryText />
      <div className="stacks">
        <div>
          {picture ? <Verdicts picture={picture} /> : <Waiting title="Verdicts" />}
          {picture ? <Services picture={picture} /> : <Waiting title="Services and dependencies" />}
        </div>
        <div>
          {picture ? <Classes picture={picture} /> : <Waiting title="Threats by class" />}
          {picture ? <LastTest picture={picture} /> : <Waiting title="Last red-team result" />}
          {picture ? <Work picture={picture} /> : <Waiting title="Training jobs" />}
        </div>
      </div>
    </>
  );
}

const Waiting = ({ title: name }: { title: string }) => (
  <Card title={name}>
    <Loading />
  </Card>
);

function Verdicts({ picture: { verdicts, at } }: { picture: LivePicture }) {
  if (!verdicts)
    return (
      <Card title="Verdicts">
        <Failed>The Model API does not answer.</Failed>
      </Card>
    );
  const minutes = Math.round(verdicts.window_seconds / 60);
  const asked = verdicts.cache.hits + verdicts.cache.misses;
  return (
    <Card title="Verdicts" aside={<span className="hint">last {minutes} min</span>}>
      <div className="figures">
        <Figure
          label="Verdicts"
          value={count(verdicts.verdicts)}
          note={`${verdicts.rate_per_second.toFixed(2)} per second`}
        />
        <Figure
          label="Attacks"
          value={count(verdicts.attacks)}
          note={verdicts.verdicts > 0 ? percent(verdicts.attacks / verdicts.verdicts) : "none judged"}
          tone={verdicts.attacks > 0 ? "bad" : undefined}
        />
        <Figure
          label="Latency p50"
          value={millis(verdicts.latency_ms?.p50)}
          note={`p99 ${millis(verdicts.latency_ms?.p99)}`}
        />
        <Figure
          label="Cache hits"
          value={asked > 0 ? percent(verdicts.cache.hits / asked) : "–"}
          note={`${count(verdicts.cache.entries)} kept`}
        />
      </div>
      {verdicts.verdicts === 0 ? (
        <Empty title="No verdicts in this time">Judge a text above, or send one to port 8000.</Empty>
      ) : (
        <div className="chart" role="img" aria-label={`Verdicts per minute over the last ${minutes} minutes`}>
          <ResponsiveContainer width="100%" height="100%">
            <AreaChart
              data={byMinute(verdicts.series, minutes, Date.parse(at))}
              margin={{ top: 6, right: 4, bottom: 0, left: -28 }}
            >
              <XAxis dataKey="at" tickFormatter={clock} minTickGap={40} tickLine={false} axisLine={false} />
              <YAxis allowDecimals={false} tickLine={false} axisLine={false} />
              <Tooltip labelFormatter={(minute) => clock(String(minute))} isAnimationActive={false} />
              <Area
                type="stepAfter"
                dataKey="verdicts"
                name="verdicts"
                stroke="var(--accent)"
                fill="var(--accent)"
                fillOpacity={0.18}
                isAnimationActive={false}
              />
              <Area
                type="stepAfter"
                dataKey="attacks"
                name="attacks"
                stroke="var(--bad)"
                fill="var(--bad)"
                fillOpacity={0.25}
                isAnimationActive={false}
              />
            </AreaChart>
          </ResponsiveContainer>
        </div>
      )}
    </Card>
  );
}

function Classes({ picture: { verdicts } }: { picture: LivePicture }) {
  const attacks = Object.entries(verdicts?.by_label ?? {}).filter(([label, n]) => label !== "benign" && n > 0);
  const most = Math.max(1, ...attacks.map(([, n]) => n));
  return (
    <Card title="Threats by class" aside={<span className="hint">same time</span>}>
      {attacks.length === 0 ? (
        <Empty title="No threats in this time" />
      ) : (
        <Bars
          label="Threats by class"
          rows={attacks
            .sort((a, b) => b[1] - a[1])
            .map(([label, n]) => ({ name: title(label), share: n / most, text: count(n), tone: "bad" }))}
        />
      )}
    </Card>
  );
}

function Services({ picture: { health } }: { picture: LivePicture }) {
  const probed = health.services[0]?.checked_at;
  return (
    <Card
      title="Services and dependencies"
      aside={<span className="hint">{probed ? `probed ${ago(probed)}` : ""}</span>}
    >
      <ul className="services">
        {health.services.map((service) => (
          <li key={service.name} title={service.detail}>
            <Badge tone={healthTone[service.status] ?? "quiet"}>{service.status}</Badge>
            <span className="clip">{service.name}</span>
            <span className="quiet small">
              {service.status === "down" ? service.detail : millis(service.latency_ms)}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Work({ picture: { jobs } }: { picture: LivePicture }) {
  return (
    <Card
      title="Training jobs"
      aside={
        <button type="button" className="link" onClick={() => navigate("/training")}>
          All jobs
        </button>
      }
    >
      {jobs.length === 0 ? (
        <Empty title="No training job so far">
          <button type="button" className="link" onClick={() => navigate("/training")}>
            Start one
          </button>
        </Empty>
      ) : (
        <div className="list">
          {jobs.slice(0, 4).map((job) => (
            <JobRow key={job.job_id} job={job} onSelect={() => navigate(`/training?job=${job.job_id}`)} />
          ))}
        </div>
      )}
    </Card>
  );
}

function LastTest({ picture: { tests } }: { picture: LivePicture }) {
  const [test] = tests;
  return (
    <Card
      title="Last red-team result"
      aside={
        <button type="button" className="link" onClick={() => navigate("/red-team")}>
          All tests
        </button>
      }
    >
      {test ? (
        <>
          <div className="job-head">
            <b>
              {test.model_name} <span className="quiet">v{test.model_version}</span>
            </b>
            <Outcome test={test} />
            <span className="quiet small">{ago(test.created_at)}</span>
          </div>
          <p className="quiet small">
            {triggers[test.trigger]} · {describeTest(test)}
          </p>
          <Bars
            label="Detection rate by category"
            rows={Object.entries(test.by_category).map(([name, c]) => ({
              name: title(name),
              share: c.detection_rate,
              text: percent(c.detection_rate),
              tone: "good",
              interval: c.confidence_interval,
            }))}
          />
        </>
      ) : (
        <Empty title="No test so far">
          <button type="button" className="link" onClick={() => navigate("/red-team")}>
            Attack a detector
          </button>
        </Empty>
      )}
    </Card>
  );
}

export default definePage({
  path: "/",
  title: "Overview",
  order: 1,
  icon: "M3 13h8V3H3zm0 8h8v-6H3zm10 0h8V11h-8zm0-18v6h8V3z",
  Component: Overview,
});
