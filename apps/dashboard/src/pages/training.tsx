/** Training: start a job, watch it learn, see why its version was promoted or kept back. */
import { type DataSet, Job } from "@mlsec/contracts";
import { CartesianGrid, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { Progress } from "../components/Bars.tsx";
import { Badge, Card, Figure, PageTitle } from "../components/Card.tsx";
import { JobRow, jobTone } from "../components/JobRow.tsx";
import { Empty, Failed, Loaded, Loading } from "../components/Notice.tsx";
import { Promotion } from "../components/Promotion.tsx";
import { StartTraining } from "../components/StartTraining.tsx";
import { UploadData } from "../components/UploadData.tsx";
import { address, training } from "../lib/api.ts";
import { bytes, clock, count, decimals, duration, percent, title } from "../lib/format.ts";
import { useLive } from "../lib/live.ts";
import { definePage } from "../lib/page.ts";
import { navigate, useAddress } from "../lib/router.ts";
import { useAction, useQuery } from "../lib/use-query.ts";

function Training() {
  const jobs = useQuery("jobs", () => training.listJobs({ query: { limit: 20 } }), 3000);
  const data = useQuery("data", () => training.listData({ query: { limit: 20 } }), 10_000);
  const asked = useAddress().searchParams.get("job");
  const id = asked ?? jobs.data?.jobs[0]?.job_id;
  const select = (job: string): void => navigate(`/training?job=${job}`);
  return (
    <>
      <PageTitle title="Training">
        A job fine-tunes a detector on your rows, measures it, and lets it replace the champion only if it wins on the
        frozen suite.
      </PageTitle>
      <div className="grid">
        <Card title="Start a job">
          <StartTraining
            dataSets={data.data?.data ?? []}
            started={(job) => {
              jobs.reload();
              select(job);
            }}
          />
        </Card>
        <Card title="Jobs">
          <Loaded query={jobs}>
            {({ jobs: rows }) =>
              rows.length === 0 ? (
                <Empty title="No job so far">Start one: the sample data set is already in the object store.</Empty>
              ) : (
                <div className="list tall-list">
                  {rows.map((job) => (
                    <JobRow
                      key={job.job_id}
                      job={job}
                      selected={job.job_id === id}
                      onSelect={() => select(job.job_id)}
                    />
                  ))}
                </div>
              )
            }
          </Loaded>
        </Card>
        {id ? <Watch key={id} id={id} ended={jobs.reload} /> : null}
        <Card title="Data sets" wide>
          <UploadData done={data.reload} />
          <Loaded query={data}>{({ data: rows }) => <DataTable rows={rows} />}</Loaded>
        </Card>
      </div>
    </>
  );
}

const ended = (job: Job): boolean =>
  job.status === "completed" || job.status === "failed" || job.status === "cancelled";

function Watch({ id, ended: onEnd }: { id: string; ended: () => void }) {
  const live = useLive(address("training", `/jobs/${encodeURIComponent(id)}/events`), "job", Job);
  const once = useQuery(`job ${id}`, () => training.getJob({ params: { id } }));
  const cancel = useAction(async () => {
    await training.cancelJob({ params: { id } });
    onEnd();
  });
  const job = live.data ?? once.data;
  if (!job)
    return (
      <Card title="Job" wide>
        {once.error ? <Failed retry={once.reload}>{once.error}</Failed> : <Loading />}
      </Card>
    );
  return (
    <Card
      title={`${job.model_name} · ${job.phase}`}
      wide
      aside={<Badge tone={jobTone[job.status]}>{title(job.status)}</Badge>}
    >
      {ended(job) ? null : <Progress value={job.progress} label="Progress" />}
      <div className="figures">
        <Figure
          label="Progress"
          value={`${Math.round(job.progress)} %`}
          note={`step ${count(job.step)} of ${count(job.total_steps)}`}
        />
        <Figure label="Epoch" value={`${decimals(job.current_epoch, 1)} / ${job.total_epochs}`} />
        <Figure label="Loss" value={decimals(job.current_loss)} />
        <Figure label="Best F1" value={percent(job.best_metric)} note="held-out rows" />
        <Figure label="Speed" value={job.rows_per_second === null ? "–" : `${count(job.rows_per_second)} rows/s`} />
        <Figure
          label="Time"
          value={duration(job.start_time, job.end_time)}
          note={job.estimated_completion && !ended(job) ? `ends about ${clock(job.estimated_completion)}` : ""}
        />
      </div>
      {job.losses.length > 1 ? <LossCurve losses={job.losses} /> : null}
      {job.error ? <Failed>{job.error.detail}</Failed> : null}
      {job.result ? <Promotion promotion={job.result.promotion} version={job.result.model_version} /> : null}
      <details>
        <summary>Settings and data</summary>
        <pre className="settings">
          {JSON.stringify({ training_data_path: job.training_data_path, trigger: job.trigger, ...job.config }, null, 2)}
        </pre>
      </details>
      {ended(job) ? null : (
        <div className="row">
          <button type="button" disabled={cancel.busy} onClick={cancel.run}>
            {cancel.busy ? "Cancelling …" : "Cancel job"}
          </button>
          {cancel.error ? <Failed>{cancel.error}</Failed> : null}
        </div>
      )}
    </Card>
  );
}

const LossCurve = ({ losses }: { losses: Job["losses"] }) => (
  <div
    className="chart"
    role="img"
    aria-label={`Training loss, from ${decimals(losses[0]?.[1])} to ${decimals(losses.at(-1)?.[1])}`}
  >
    <ResponsiveContainer width="100%" height="100%">
      <LineChart
        data={losses.map(([step, loss]) => ({ step, loss }))}
        margin={{ top: 6, right: 8, bottom: 0, left: -16 }}
      >
        <CartesianGrid stroke="var(--line)" vertical={false} />
        <XAxis dataKey="step" type="number" domain={["dataMin", "dataMax"]} tickLine={false} />
        <YAxis domain={[0, "auto"]} tickLine={false} axisLine={false} />
        <Tooltip
          formatter={(v) => decimals(Number(v))}
          labelFormatter={(s) => `step ${String(s)}`}
          isAnimationActive={false}
        />
        <Line dataKey="loss" stroke="var(--accent)" strokeWidth={2} dot={false} isAnimationActive={false} />
      </LineChart>
    </ResponsiveContainer>
  </div>
);

function DataTable({ rows }: { rows: readonly DataSet[] }) {
  if (rows.length === 0)
    return (
      <Empty title="No uploaded data set">
        The sample set s3://ml-security/training_data/security_data.jsonl is there from the start.
      </Empty>
    );
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th>Name</th>
            <th>State</th>
            <th className="num">Rows</th>
            <th className="num">Groups</th>
            <th className="num">Size</th>
            <th>Quality</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((d) => (
            <tr key={d.file_id}>
              <td>{d.name}</td>
              <td>{d.state}</td>
              <td className="num">{count(d.rows)}</td>
              <td className="num">{count(d.quality.groups)}</td>
              <td className="num">{bytes(d.size_bytes)}</td>
              <td>
                <Badge tone={d.quality.passed ? "good" : "bad"}>
                  {d.quality.passed
                    ? `passed, ${d.quality.warnings.length} warnings`
                    : (d.quality.errors[0]?.message ?? "failed")}
                </Badge>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export default definePage({
  path: "/training",
  title: "Training",
  order: 3,
  icon: "m12 3 10 5-10 5L2 8zm-6 9.200 6 3 6-3V17l-6 3.500L6 17z",
  Component: Training,
});
