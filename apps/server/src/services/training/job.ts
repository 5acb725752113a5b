// One training job from queue to version: its folder, its MLflow run, its child process, and how it ends.
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AppError, TrainSettings } from "@mlsec/contracts";
import type { JobContext, Jobs } from "../../platform/jobs/jobs.ts";
import type { LiveStatus } from "../../platform/live.ts";
import { publicError } from "../../platform/http/problem.ts";
import { describeError } from "../../platform/telemetry/log.ts";
import type { Metrics } from "../../platform/telemetry/metrics.ts";
import { type ChildMessage, type ChildResult, type ChildSpec, resultFile, specFile } from "./child/messages.ts";
import type { Base, Bases, FoundBase } from "./bases.ts";
import type { TrainingConfig } from "./config.ts";
import { formatOf } from "./data/rows.ts";
import type { DataStore } from "./data/store.ts";
import { exists, fetchFolder, fetchObject } from "./files.ts";
import { resolveTrainable } from "./names.ts";
import { teacherVersion } from "./registry.ts";
import { runChild } from "./process.ts";
import { createTracker, type Tracker } from "./progress.ts";
import { publish, type PublishParts } from "./publish.ts";
import type { Ended, JobRow } from "./store.ts";

export interface RunnerParts extends PublishParts {
  readonly data: DataStore;
  readonly training: TrainingConfig;
  readonly bases: Bases;
  readonly live: LiveStatus;
  readonly jobs: Jobs;
  readonly metrics: Metrics;
}
/** Name of the queue; its payloads are job ids. */
export const queue = "training";
/** A job whose process breaks is tried again this often; one that is merely interrupted, by a crash or a stop, more often. */
const maxFailures = 3;
const maxStarts = 20;
const retryAfterMs = 2_000;
const saveEveryMs = 1_000;

/** A failure that another run would repeat. */
class FinalError extends AppError {}

/** Runs a job to its end. Rejects only for a run that the queue should repeat. */
export async function runTrainingJob(parts: RunnerParts, jobId: string, context: JobContext): Promise<void> {
  const job = await parts.store.begin(jobId, parts.clock());
  const folder = path.join(parts.training.jobsDir, jobId);
  if (!job) return fs.rm(folder, { recursive: true, force: true });
  try {
    if (job.attempts > maxStarts)
      throw new FinalError("INTERNAL", `the system stopped ${maxStarts} times while this job ran`);
    await work(parts, job, folder, context.signal);
  } catch (error) {
    await settle(parts, job, folder, error, context);
  }
}

async function work(parts: RunnerParts, job: JobRow, folder: string, signal: AbortSignal): Promise<void> {
  const say = sayTo(parts, job);
  if (job.attempts > 1) await say(`start ${job.attempts}: goes on from the last checkpoint`);
  announce(parts, job, "running");
  const spec = await prepareFolder(parts, job, folder, signal);
  const runId = await ensureRun(parts, job, spec);
  const tracker = createTracker(job, parts.clock);
  const result = (await readResult(folder)) ?? (await train(parts, { job, folder, runId, tracker }, signal));
  tracker.finishing(result.losses);
  await parts.store.saveProgress(job.job_id, tracker.current());
  const published = await publish(parts, { job, runId, folder, spec, result, say: (message) => say(message) }, signal);
  if (job.file_id !== null) await parts.data.setState(job.file_id, "used");
  await finish(parts, job, folder, "completed", { result: published });
}

const sayTo =
  ({ store, clock }: RunnerParts, job: JobRow) =>
  async (message: string, level = "info"): Promise<void> =>
    void (await store.addLogs(job.job_id, [{ at: clock(), level, message: message.slice(0, 2000) }]));

/** Everything the child needs, fetched once: a resumed job finds it and compares with the same champion. */
async function prepareFolder(parts: RunnerParts, job: JobRow, folder: string, signal: AbortSignal): Promise<ChildSpec> {
  const { storage, training, registry, clock } = parts;
  const file = path.join(folder, specFile);
  if (await exists(file)) return JSON.parse(await fs.readFile(file, "utf8")) as ChildSpec;
  const trainable = resolveTrainable(job.requested_model);
  const base = trainable.kind === "transformer" ? await findBase(parts, job, trainable.base, signal) : undefined;
  const fetched = async (uri: string, name: string): Promise<ChildSpec["data"]> => {
    const format = formatOf(uri);
    await fetchObject(storage, uri, path.join(folder, `${name}.${format}`), signal);
    return { file: `${name}.${format}`, format, uri };
  };
  const { champion: version } = await registry.aliases(job.model_name);
  const champion =
    version === undefined
      ? undefined
      : await versionFolder(parts, { name: job.model_name, version, target: path.join(folder, "champion") }, signal);
  const teacher = job.config.teacher ? await findTeacher(parts, job.config.teacher, folder, signal) : undefined;
  const spec: ChildSpec = {
    jobId: job.job_id,
    name: job.model_name,
    kind: trainable.kind,
    ...(base === undefined ? {} : { base: base.base, baseFolder: base.folder }),
    settings: TrainSettings.parse(job.config), // a job of an older release lacks the newer settings
    data: await fetched(job.data_uri, "data"),
    ...(job.eval_uri === null ? {} : { evalData: await fetched(job.eval_uri, "evaluation") }),
    suiteDir: training.suiteDir,
    ...(champion === undefined || version === undefined ? {} : { champion: { version, folder: champion } }),
    ...(teacher === undefined ? {} : { teacher }),
    threads: training.threads ?? os.availableParallelism(),
    createdAt: clock().toISOString(),
  };
  await fs.writeFile(`${file}.tmp`, JSON.stringify(spec), { flush: true });
  await fs.rename(`${file}.tmp`, file);
  return spec;
}

/** Says in the job's log how far a download is, every tenth of it. */
async function findBase(parts: RunnerParts, job: JobRow, base: Base, signal: AbortSignal): Promise<FoundBase> {
  const say = sayTo(parts, job);
  let said = -1;
  const found = await parts.bases.find(job.requested_model, base, {
    signal,
    onProgress: ({ doneBytes, totalBytes }) => {
      const tenth = Math.floor((10 * doneBytes) / Math.max(1, totalBytes));
      if (tenth === said) return;
      said = tenth;
      const size = `${(totalBytes / 1e6).toFixed(totalBytes < 1e7 ? 1 : 0)} MB`;
      say(`fetching ${base.repository}: ${10 * tenth} % of ${size}`).catch(() => undefined);
    },
  });
  await say(`starts from ${found.base}`);
  return found;
}

async function findTeacher(
  parts: RunnerParts,
  asked: string,
  folder: string,
  signal: AbortSignal,
): Promise<NonNullable<ChildSpec["teacher"]>> {
  const { name, version } = await teacherVersion(parts.registry, asked);
  const target = path.join(folder, "teacher");
  return { version, folder: await versionFolder(parts, { name, version, target }, signal) };
}

/** Where a version lies: beside the code when it is shipped, else fetched into `target`. */
async function versionFolder(
  { storage, registry, training }: RunnerParts,
  { name, version, target }: { readonly name: string; readonly version: string; readonly target: string },
  signal: AbortSignal,
): Promise<string> {
  const source = (await registry.version(name, version))?.source ?? "";
  const shipped = /^file:models\/([\w-][\w.-]*)\/?$/.exec(source)?.[1];
  if (shipped !== undefined) return path.join(training.shippedDir, shipped);
  await fetchFolder(storage, source, target, signal);
  return target;
}

async function ensureRun({ registry, store, training }: RunnerParts, job: JobRow, spec: ChildSpec): Promise<string> {
  if (job.run_id !== null) return job.run_id;
  const params = {
    ...job.config,
    training_data_path: job.training_data_path,
    data_uri: job.data_uri,
    trigger: job.trigger,
    kind: spec.kind,
    base: spec.base ?? "none",
  };
  const { runId } = await registry.startRun({
    name: job.model_name,
    jobId: job.job_id,
    params: Object.fromEntries(
      Object.entries(params).map(([key, value]) => [
        key,
        typeof value === "object" ? JSON.stringify(value) : String(value),
      ]),
    ),
    startMs: (job.start_time ?? job.created_at).getTime(),
    bucket: training.bucket,
  });
  await store.setRunId(job.job_id, runId);
  return runId;
}

async function readResult(folder: string): Promise<ChildResult | undefined> {
  const file = path.join(folder, resultFile);
  return (await exists(file)) ? (JSON.parse(await fs.readFile(file, "utf8")) as ChildResult) : undefined;
}

interface Running {
  readonly job: JobRow;
  readonly folder: string;
  readonly runId: string;
  readonly tracker: Tracker;
}

async function train(
  parts: RunnerParts,
  { job, folder, runId, tracker }: Running,
  signal: AbortSignal,
): Promise<ChildResult> {
  const { store, registry, log, clock } = parts;
  const say = sayTo(parts, job);
  // Messages are worked on one after the other; none of these writes may stop the job.
  let writing: Promise<unknown> = Promise.resolve();
  const write = (what: () => Promise<unknown>): void => {
    writing = writing
      .then(what)
      .catch((error: unknown) =>
        log.warn({ jobId: job.job_id, error: describeError(error) }, "a job's progress was not stored"),
      );
  };
  let saved = { at: 0, phase: "" };
  const onMessage = (message: ChildMessage): void => {
    tracker.add(message);
    if (message.type === "log") return write(() => say(message.message, message.level));
    if (message.type === "metrics") {
      const points = Object.entries(message.metrics).filter(([, value]) => Number.isFinite(value));
      return write(() =>
        registry.logMetrics(
          runId,
          points.map(([key, value]) => ({ key, value, step: message.step })),
          clock().getTime(),
        ),
      );
    }
    const current = tracker.current();
    if (performance.now() - saved.at < saveEveryMs && saved.phase === current.phase) return;
    saved = { at: performance.now(), phase: current.phase };
    write(() => store.saveProgress(job.job_id, current));
    parts.live.publish("job", {
      job_id: job.job_id,
      model_name: job.model_name,
      status: "running",
      phase: current.phase,
      progress: current.progress,
    });
  };
  const outcome = await runChild(folder, signal, onMessage);
  await writing;
  await store.saveProgress(job.job_id, tracker.current());
  signal.throwIfAborted();
  if (outcome.kind === "failed") {
    const code = outcome.code as AppError["code"];
    throw outcome.isFinal ? new FinalError(code, outcome.detail) : new AppError(code, outcome.detail);
  }
  const result = await readResult(folder);
  if (!result) throw new AppError("INTERNAL", "the training process ended without a result");
  return result;
}

/** Cancelled, to be resumed, failed for good, or to be tried again. */
async function settle(
  parts: RunnerParts,
  job: JobRow,
  folder: string,
  error: unknown,
  context: JobContext,
): Promise<void> {
  const { store, log } = parts;
  if (await isCancelled(parts, context)) {
    await sayTo(parts, job)("cancelled");
    await endRun(parts, job, "KILLED");
    return finish(parts, job, folder, "cancelled");
  }
  if (context.signal.aborted) {
    await store.requeue(job.job_id);
    throw error;
  }
  const known = publicError(error);
  const detail =
    error instanceof AppError || known.code !== "INTERNAL"
      ? (error instanceof AppError ? error : known).message
      : "something broke inside; the log has it under this job's id";
  await sayTo(parts, job)(detail, "error");
  const isFinal = error instanceof FinalError || known.status < 500 || known.code === "WEIGHTS_UNREACHABLE";
  if (!isFinal && job.attempts < maxFailures) {
    await delay(retryAfterMs * job.attempts, undefined, { signal: context.signal }).catch(() => undefined);
    await store.requeue(job.job_id);
    throw error;
  }
  log.warn({ jobId: job.job_id, error: describeError(error) }, "a training job failed");
  await endRun(parts, job, "FAILED");
  await finish(parts, job, folder, "failed", { error: { code: known.code, detail } });
}

/** The queue's own word counts too: its signal may come before ours. */
async function isCancelled({ jobs }: RunnerParts, { signal, jobId }: JobContext): Promise<boolean> {
  if (!signal.aborted) return false;
  if (signal.reason instanceof AppError && signal.reason.code === "CANCELLED") return true;
  return (await jobs.state(queue, jobId).catch(() => undefined))?.state === "cancelled";
}

async function endRun(
  { store, registry, log, clock }: RunnerParts,
  job: JobRow,
  status: "FAILED" | "KILLED",
): Promise<void> {
  const runId = (await store.job(job.job_id))?.run_id;
  if (!runId) return;
  await registry.endRun(runId, status, clock().getTime()).catch((error: unknown) => {
    log.warn({ jobId: job.job_id, error: describeError(error) }, "MLflow was not told that a run ended");
  });
}

async function finish(
  parts: RunnerParts,
  job: JobRow,
  folder: string,
  status: Ended,
  outcome: { result?: unknown; error?: { code: string; detail: string } } = {},
): Promise<void> {
  await parts.store.end(job.job_id, status, parts.clock(), outcome);
  parts.metrics.counter("mlsec_training_jobs_total", "Training jobs that ended.", ["status"]).inc({ status });
  await fs.rm(folder, { recursive: true, force: true });
  announce(parts, job, status);
}

const announce = ({ live }: RunnerParts, job: JobRow, status: string): void =>
  live.publish("job", { job_id: job.job_id, model_name: job.model_name, status });
