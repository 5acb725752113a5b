// Jobs and the registry seen from training.
import { setTimeout as delay } from "node:timers/promises";
import {
  AppError,
  type Handlers,
  type Job,
  type RetrainRequest,
  type training,
  type TrainRequest,
} from "@mlsec/contracts";
import type * as z from "zod";
import type { Jobs } from "../../platform/jobs/jobs.ts";
import { type MoveParts, promoteVersion, rollBack } from "./champion.ts";
import type { Bases } from "./bases.ts";
import type { TrainingConfig } from "./config.ts";
import type { DataStore } from "./data/store.ts";
import { queue } from "./job.ts";
import { checkBeforeQueueing, locateData } from "./locate.ts";
import { canonicalName, experimentName, resolveTrainable } from "./names.ts";
import { type RegistryEntry, teacherVersion, toEntry } from "./registry.ts";
import { resolveSettings } from "./settings.ts";
import type { JobRow } from "./store.ts";
import type { ObjectStore } from "../../platform/storage/object-store.ts";

export interface RouteParts extends MoveParts {
  readonly jobs: Jobs;
  readonly storage: ObjectStore;
  readonly data: DataStore;
  readonly training: TrainingConfig;
  readonly bases: Bases;
  readonly bucket: string;
}
type Training = Handlers<typeof training>;
const pollMs = 250;
/** How long a cancel waits for the job's own process to be gone, or for a version that is being registered to be whole. */
const cancelMs = 5_000;
const finishMs = 60_000;

export const toJob = (row: JobRow): Job => ({
  job_id: row.job_id,
  model_name: row.model_name,
  status: row.status,
  phase: row.phase,
  progress: Math.round(row.progress * 10) / 10,
  current_epoch: Math.round(row.current_epoch * 100) / 100,
  total_epochs: row.total_epochs,
  step: row.step,
  total_steps: row.total_steps,
  current_loss: row.current_loss,
  best_metric: row.best_metric,
  rows_per_second: row.rows_per_second,
  losses: row.losses,
  start_time: row.start_time?.toISOString() ?? null,
  end_time: row.end_time?.toISOString() ?? null,
  created_at: row.created_at.toISOString(),
  estimated_completion: row.estimated_completion?.toISOString() ?? null,
  training_data_path: row.training_data_path,
  config: row.config,
  trigger: row.trigger,
  result: row.result,
  error: row.error,
  attempts: row.attempts,
});
const hasEnded = (row: JobRow): boolean => row.status !== "queued" && row.status !== "running";

/** Gives a stored job to the queue, which knows only its id. */
export async function enqueue(
  { jobs, store }: Pick<RouteParts, "jobs" | "store">,
  job: Pick<JobRow, "job_id" | "priority">,
): Promise<void> {
  const queueId = await jobs.send(queue, { job_id: job.job_id }, { priority: job.priority, singletonKey: job.job_id });
  if (queueId !== undefined) await store.setQueueId(job.job_id, queueId);
}

type Asked = z.output<typeof TrainRequest> & { trigger: string; reason: string | null; principal: string };

async function startJob(parts: RouteParts, asked: Asked) {
  const { store, storage, clock, bases } = parts;
  const trainable = resolveTrainable(asked.model_name);
  const settings = resolveSettings(asked.config);
  if (trainable.kind === "transformer") await bases.check(asked.model_name, trainable.base);
  if (settings.teacher !== null) await teacherVersion(parts.registry, settings.teacher);
  const located = await locateData(asked.training_data_path, parts);
  const evaluation = asked.eval_data_path === undefined ? undefined : await locateData(asked.eval_data_path, parts);
  await checkBeforeQueueing(located, storage);
  if (evaluation) await checkBeforeQueueing(evaluation, storage);
  const job = {
    job_id: crypto.randomUUID(),
    model_name: trainable.name,
    requested_model: asked.model_name,
    training_data_path: asked.training_data_path,
    eval_data_path: asked.eval_data_path ?? null,
    data_uri: located.uri,
    eval_uri: evaluation?.uri ?? null,
    file_id: located.fileId,
    config: settings,
    promote: asked.promote,
    priority: asked.priority,
    trigger: asked.trigger,
    reason: asked.reason,
    principal: asked.principal,
    created_at: clock(),
  };
  await store.addJob(job);
  await enqueue(parts, job);
  const message = `training ${trainable.name} on ${located.uri} is queued; GET /jobs/${job.job_id} shows it`;
  return { job_id: job.job_id, status: "queued" as const, model_name: trainable.name, config: settings, message };
}

export function jobHandlers(parts: RouteParts) {
  const { store, jobs, clock } = parts;
  const find = async (id: string): Promise<JobRow> => {
    const row = await store.job(id);
    if (!row) throw new AppError("NOT_FOUND", "no job has this id; GET /jobs lists them");
    return row;
  };
  return {
    train: ({ body, context }) =>
      startJob(parts, { ...body, trigger: "manual", reason: null, principal: context.principal.id }),
    retrain: ({ body, context }) => {
      const { trigger, reason, ...rest }: z.output<typeof RetrainRequest> = body;
      return startJob(parts, { ...rest, trigger, reason: reason ?? null, principal: context.principal.id });
    },
    async listJobs({ query }) {
      const model = query.model_name === undefined ? undefined : canonicalName(query.model_name);
      const rows = await store.jobs({ status: query.status, model, cursor: query.cursor, limit: query.limit + 1 });
      const page = rows.slice(0, query.limit);
      return { jobs: page.map(toJob), next_cursor: rows.length > query.limit ? (page.at(-1)?.job_id ?? null) : null };
    },
    getJob: async ({ params }) => toJob(await find(params.id)),
    async jobEvents({ params, context }) {
      await find(params.id);
      return watch(() => find(params.id), context.signal);
    },
    async jobLogs({ params, query }) {
      await find(params.id);
      const after = Number(query.cursor ?? 0);
      if (!Number.isSafeInteger(after) || after < 0)
        throw new AppError("INVALID_INPUT", "cursor: not one that this server gave");
      const rows = await store.logs(params.id, after, query.limit + 1);
      const page = rows.slice(0, query.limit);
      const logs = page.map(({ at, level, message }) => ({ at: at.toISOString(), level, message }));
      return { logs, next_cursor: rows.length > query.limit ? String(page.at(-1)?.id) : null };
    },
    async cancelJob({ params }) {
      const job = await find(params.id);
      if (hasEnded(job)) throw new AppError("CONFLICT", `the job has ended already: ${job.status}`);
      if (job.queue_id !== null) await jobs.cancel(queue, job.queue_id);
      const left = await untilEnded(() => find(params.id));
      // A job that had not begun ends here. One that registers its version is past stopping and ends by itself.
      if (!hasEnded(left) && left.phase !== "finishing") await store.end(params.id, "cancelled", clock());
      return toJob(await find(params.id));
    },
  } satisfies Partial<Training>;
}

async function untilEnded(read: () => Promise<JobRow>): Promise<JobRow> {
  for (let waited = 0; ; waited += 50) {
    const job = await read();
    const limit = job.status === "queued" ? 0 : job.phase === "finishing" ? finishMs : cancelMs;
    if (hasEnded(job) || waited >= limit) return job;
    await delay(50);
  }
}

/** The job whenever it changed, until it ends. */
async function* watch(read: () => Promise<JobRow>, signal: AbortSignal) {
  let last = "";
  while (!signal.aborted) {
    const job = await read();
    const data = toJob(job);
    const seen = JSON.stringify(data);
    if (seen !== last) yield { event: "job", data };
    last = seen;
    if (hasEnded(job)) return;
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

export function registryHandlers(parts: RouteParts) {
  const { registry } = parts;
  const entriesOf = async (name: string, aliases: Parameters<typeof toEntry>[1]): Promise<RegistryEntry[]> =>
    (await registry.versions(name)).map((version) => toEntry(version, aliases));
  return {
    async registry() {
      const models = await registry.models();
      const listed = await Promise.all(
        models.map(async ({ name, aliases }) => [name, await entriesOf(name, aliases)] as const),
      );
      const found = listed.filter(([, entries]) => entries.length > 0);
      return {
        latest_models: pick(found, (entries) => entries[0]),
        best_models: pick(found, bestOf),
        versions: Object.fromEntries(found),
      };
    },
    promote: ({ params, body, context }) =>
      promoteVersion(parts, { name: canonicalName(params.name), ...body, principal: context.principal.id }),
    rollback: ({ params, body, context }) =>
      rollBack(parts, {
        name: canonicalName(params.name),
        version: body?.version,
        reason: body?.reason ?? "manual",
        principal: context.principal.id,
      }),
    async experimentSummary({ query }) {
      const name = canonicalName(query.model_name);
      const runs = await registry.runs(name);
      const successful = runs.filter((run) => run.info.status === "FINISHED");
      const entries = await entriesOf(name, await registry.aliases(name));
      const best = bestOf(entries);
      return {
        experiment_name: experimentName(name),
        total_runs: runs.length,
        successful_runs: successful.length,
        success_rate: runs.length === 0 ? 0 : successful.length / runs.length,
        model_performance: Object.fromEntries(successful.map((run) => [run.info.run_id, numbersOf(run.data.metrics)])),
        best_models: best ? { [name]: best } : {},
      };
    },
  } satisfies Partial<Training>;
}

const bestOf = (entries: readonly RegistryEntry[]): RegistryEntry | undefined =>
  entries.toSorted((a, b) => (b.f1_score ?? -1) - (a.f1_score ?? -1))[0];

const pick = (
  found: readonly (readonly [string, RegistryEntry[]])[],
  choose: (entries: RegistryEntry[]) => RegistryEntry | undefined,
): Record<string, RegistryEntry> =>
  Object.fromEntries(
    found.flatMap(([name, entries]) => {
      const chosen = choose(entries);
      return chosen ? [[name, chosen]] : [];
    }),
  );

const numbersOf = (metrics: readonly { key: string; value: number | string }[]): Record<string, number> =>
  Object.fromEntries(metrics.flatMap(({ key, value }) => (typeof value === "number" ? [[key, value]] : [])));
