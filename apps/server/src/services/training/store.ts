// Jobs, their logs and the moves of the champion in PostgreSQL. Data sets are in data/store.ts.
import type { JobResult, JobStatus, Promote, TrainSettings } from "@mlsec/contracts";
import type * as z from "zod";
import { type Database, toJson } from "../../platform/db/database.ts";

export type LossPoint = [step: number, loss: number];
export interface JobRow {
  readonly job_id: string;
  readonly queue_id: string | null;
  readonly model_name: string;
  readonly requested_model: string;
  readonly status: JobStatus;
  readonly phase: string;
  readonly progress: number;
  readonly current_epoch: number;
  readonly total_epochs: number;
  readonly step: number;
  readonly total_steps: number;
  readonly current_loss: number | null;
  readonly best_metric: number | null;
  readonly rows_per_second: number | null;
  readonly losses: LossPoint[];
  readonly training_data_path: string;
  readonly eval_data_path: string | null;
  readonly data_uri: string;
  readonly eval_uri: string | null;
  readonly file_id: string | null;
  readonly config: TrainSettings;
  readonly promote: Promote;
  readonly priority: number;
  readonly trigger: string;
  readonly reason: string | null;
  readonly principal: string;
  readonly attempts: number;
  readonly run_id: string | null;
  readonly result: z.infer<typeof JobResult> | null;
  readonly error: { code: string; detail: string } | null;
  readonly created_at: Date;
  readonly start_time: Date | null;
  readonly end_time: Date | null;
  readonly estimated_completion: Date | null;
}
export type NewJob = Pick<
  JobRow,
  | "job_id"
  | "model_name"
  | "requested_model"
  | "training_data_path"
  | "eval_data_path"
  | "data_uri"
  | "eval_uri"
  | "file_id"
  | "config"
  | "promote"
  | "priority"
  | "trigger"
  | "reason"
  | "principal"
  | "created_at"
>;
export type JobProgress = Pick<
  JobRow,
  | "phase"
  | "progress"
  | "current_epoch"
  | "step"
  | "total_steps"
  | "current_loss"
  | "best_metric"
  | "rows_per_second"
  | "losses"
  | "estimated_completion"
>;
export interface LogLine {
  readonly at: Date;
  readonly level: string;
  readonly message: string;
}
export interface AliasMove {
  readonly at: Date;
  readonly model_name: string;
  readonly alias: string;
  readonly version: string;
  readonly previous_version: string | null;
  readonly reason: string;
  readonly principal: string;
}
export type Ended = "completed" | "failed" | "cancelled";

export type JobStore = ReturnType<typeof createJobStore>;

export function createJobStore(db: Database) {
  return { ...reading(db), ...states(db), ...logs(db) };
}

function reading(db: Database) {
  return {
    job: (id: string) => db.one<JobRow>("select * from training_jobs where job_id = $1", [id]),
    /** Newest first, after the job that `cursor` names. */
    jobs: (filter: {
      status?: string | undefined;
      model?: string | undefined;
      cursor?: string | undefined;
      limit: number;
    }) =>
      db.query<JobRow>(
        `select * from training_jobs j where ($1::text is null or status = $1) and ($2::text is null or model_name = $2)
           and ($3::text is null or (j.created_at, j.job_id) < (select c.created_at, c.job_id from training_jobs c where c.job_id = $3))
         order by created_at desc, job_id desc limit $4`,
        [filter.status ?? null, filter.model ?? null, filter.cursor ?? null, filter.limit],
      ),
    openJobs: () =>
      db.query<JobRow>("select * from training_jobs where status in ('queued', 'running') order by created_at"),
  };
}

function states(db: Database) {
  return {
    addJob: (job: NewJob) =>
      db.query(
        `insert into training_jobs (job_id, model_name, requested_model, status, phase, total_epochs, training_data_path, eval_data_path,
           data_uri, eval_uri, file_id, config, promote, priority, trigger, reason, principal, created_at)
         values ($1, $2, $3, 'queued', 'queued', $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12, $13, $14, $15, $16)`,
        [
          job.job_id,
          job.model_name,
          job.requested_model,
          job.config.epochs,
          job.training_data_path,
          job.eval_data_path,
          job.data_uri,
          job.eval_uri,
          job.file_id,
          job.config,
          job.promote,
          job.priority,
          job.trigger,
          job.reason,
          job.principal,
          job.created_at,
        ],
      ),
    setQueueId: (id: string, queueId: string) =>
      db.query("update training_jobs set queue_id = $2 where job_id = $1", [id, queueId]),
    setRunId: (id: string, runId: string) =>
      db.query("update training_jobs set run_id = $2 where job_id = $1", [id, runId]),
    /** Undefined when the job has ended meanwhile. */
    begin: (id: string, now: Date) =>
      db.one<JobRow>(
        `update training_jobs set status = 'running', phase = 'preparing', attempts = attempts + 1, start_time = coalesce(start_time, $2)
         where job_id = $1 and status in ('queued', 'running') returning *`,
        [id, now],
      ),
    saveProgress: (id: string, p: JobProgress) =>
      db.query(
        `update training_jobs set phase = $2, progress = $3, current_epoch = $4, step = $5, total_steps = $6, current_loss = $7,
           best_metric = $8, rows_per_second = $9, losses = $10::jsonb, estimated_completion = $11
         where job_id = $1 and status = 'running'`,
        [
          id,
          p.phase,
          p.progress,
          p.current_epoch,
          p.step,
          p.total_steps,
          p.current_loss,
          p.best_metric,
          p.rows_per_second,
          toJson(p.losses),
          p.estimated_completion,
        ],
      ),
    /** Back in the queue: the next run goes on from the checkpoint. */
    requeue: (id: string) =>
      db.query(
        "update training_jobs set status = 'queued', phase = 'waiting to resume' where job_id = $1 and status = 'running'",
        [id],
      ),
    /** Ends a job once; undefined when it had ended already. */
    end: (
      id: string,
      status: Ended,
      now: Date,
      outcome: { result?: unknown; error?: { code: string; detail: string } } = {},
    ) =>
      db.one<JobRow>(
        `update training_jobs set status = $2, phase = $2, end_time = $3, estimated_completion = null,
           progress = case when $2 = 'completed' then 100 else progress end, result = $4::jsonb, error = $5::jsonb
         where job_id = $1 and status in ('queued', 'running') returning *`,
        [id, status, now, outcome.result ?? null, outcome.error ?? null],
      ),
  };
}

function logs(db: Database) {
  return {
    addLogs: (jobId: string, lines: readonly LogLine[]) =>
      db.query(
        "insert into training_logs (job_id, at, level, message) select $1, * from unnest($2::timestamptz[], $3::text[], $4::text[])",
        [jobId, lines.map((l) => l.at.toISOString()), lines.map((l) => l.level), lines.map((l) => l.message)],
      ),
    logs: (jobId: string, after: number, limit: number) =>
      db.query<LogLine & { id: number }>(
        "select * from training_logs where job_id = $1 and id > $2 order by id limit $3",
        [jobId, after, limit],
      ),
    addMove: (move: AliasMove) =>
      db.query(
        `insert into training_alias_moves (at, model_name, alias, version, previous_version, reason, principal) values ($1, $2, $3, $4, $5, $6, $7)`,
        [move.at, move.model_name, move.alias, move.version, move.previous_version, move.reason, move.principal],
      ),
  };
}
