/** One training job on one line: what, how far, how it ended. */
import type { Job } from "@mlsec/contracts";
import { decimals, duration, percent, title } from "../lib/format.ts";
import { Progress } from "./Bars.tsx";
import { Badge, type Tone } from "./Card.tsx";

export const jobTone: Record<Job["status"], Tone> = {
  queued: "quiet",
  running: "info",
  completed: "good",
  failed: "bad",
  cancelled: "quiet",
};

export function JobRow({ job, selected, onSelect }: { job: Job; selected?: boolean; onSelect?: () => void }) {
  const f1 = job.result?.metrics["f1"] ?? job.result?.promotion.candidate.macro_f1;
  const note =
    job.status === "failed"
      ? (job.error?.detail ?? "failed")
      : job.result
        ? `version ${job.result.model_version}, ${job.result.promotion.decision.replaceAll("_", " ")}, F1 ${percent(f1)}`
        : job.status === "running"
          ? `${job.phase} · epoch ${Math.min(job.total_epochs, Math.floor(job.current_epoch) + 1)} of ${job.total_epochs} · loss ${decimals(job.current_loss)}`
          : title(job.status);
  const body = (
    <>
      <div className="job-head">
        <b>{job.model_name}</b>
        <Badge tone={jobTone[job.status]}>{title(job.status)}</Badge>
        <span className="quiet small">{duration(job.start_time, job.end_time)}</span>
      </div>
      {job.status === "running" || job.status === "queued" ? (
        <Progress value={job.progress} label={`Progress of ${job.model_name}`} />
      ) : null}
      <div className="quiet small clip">{note}</div>
    </>
  );
  if (!onSelect) return <div className="job">{body}</div>;
  return (
    <button type="button" className="job" aria-pressed={selected} onClick={onSelect}>
      {body}
    </button>
  );
}
