// Jobs on pg-boss, in a schema of its own. A killed worker's jobs come back: at once where this process is the only one on
// the database, else when their heartbeat stops.
import { EventEmitter, on } from "node:events";
import { AppError } from "@mlsec/contracts";
import type { PgBoss } from "pg-boss";
import type * as z from "zod";
import type { Database } from "../db/database.ts";
import { describeError, type Logger } from "../telemetry/log.ts";
import type { JobDefinition, Jobs, JobState, SendOptions } from "./jobs.ts";

export interface JobRunner extends Jobs {
  /** Installs or updates the schema; sending is possible from here on. */
  open(): Promise<void>;
  /** Starts the workers of everything defined. */
  begin(): Promise<void>;
  /** Aborts what runs, so that it is taken up at the next start, and waits for it to end. */
  drain(timeoutMs: number): Promise<void>;
}

const schema = "jobs";
const heartbeatSeconds = 10;
type AnyDefinition = JobDefinition<z.ZodType>;
type Ended = { readonly ended: true };

export function createJobs(options: { db: Database; log: Logger; isOnlyProcess: boolean }): JobRunner {
  const { db, log } = options;
  const definitions = new Map<string, AnyDefinition>();
  const running = new Map<string, AbortController>();
  const progress = new EventEmitter().setMaxListeners(0);
  const ready = new Set<string>();
  const opening = Promise.withResolvers<PgBoss>();
  opening.promise.catch(() => undefined);
  const bossFor = async (queue: string): Promise<PgBoss> => {
    const boss = await opening.promise;
    if (!ready.has(queue)) {
      await createQueue(boss, queue, definitions.get(queue));
      ready.add(queue);
    }
    return boss;
  };
  const work = async (queue: string, definition: AnyDefinition): Promise<void> => {
    const boss = await bossFor(queue);
    const settings = {
      localConcurrency: definition.concurrency ?? 1,
      pollingIntervalSeconds: 0.5,
      notifyPollingIntervalSeconds: 0.5,
    };
    await boss.work<unknown>(queue, settings, async ([job]) => {
      if (!job) return undefined;
      const controller = new AbortController();
      running.set(job.id, controller);
      try {
        const payload = definition.schema.parse(job.data);
        const signal = AbortSignal.any([controller.signal, job.signal]);
        const tell = (data: unknown): void => void progress.emit(job.id, data);
        return await definition.run(payload, { jobId: job.id, attempt: job.retryCount, signal, progress: tell });
      } catch (error) {
        log.warn({ queue, jobId: job.id, error: describeError(error) }, "job run failed");
        throw error;
      } finally {
        running.delete(job.id);
        progress.emit(job.id, { ended: true } satisfies Ended);
      }
    });
  };
  return {
    define: (queue, definition) => void definitions.set(queue, definition),
    async send(queue, payload, sendOptions = {}) {
      const definition = definitions.get(queue);
      if (definition) definition.schema.parse(payload);
      const boss = await bossFor(queue);
      return (await boss.send(queue, payload, sending(sendOptions))) ?? undefined;
    },
    async cancel(queue, id) {
      const before = await stateOf(await bossFor(queue), queue, id);
      if (!before || !["created", "retry", "active"].includes(before.state)) return false;
      await (await bossFor(queue)).cancel(queue, id);
      running.get(id)?.abort(new AppError("CANCELLED", "the job was cancelled"));
      return true;
    },
    state: async (queue, id) => stateOf(await bossFor(queue), queue, id),
    watch: (id, signal) => watch(progress, id, signal),
    async open() {
      try {
        opening.resolve(await startBoss(db, log));
      } catch (error) {
        opening.reject(error);
      }
      await opening.promise;
    },
    async begin() {
      const boss = await opening.promise;
      if (options.isOnlyProcess) await failOver(boss, db, log);
      await Promise.all([...definitions].map(([queue, definition]) => work(queue, definition)));
    },
    async drain(timeoutMs) {
      for (const controller of running.values())
        controller.abort(new AppError("UNAVAILABLE", "the system stops; the job goes on at the next start"));
      const boss = await opening.promise.catch(() => undefined);
      await boss?.stop({ graceful: true, timeout: timeoutMs });
    },
  };
}

async function startBoss(db: Database, log: Logger): Promise<PgBoss> {
  const { PgBoss } = await import("pg-boss");
  const boss = new PgBoss({
    ...db.connection,
    schema,
    max: 4,
    application_name: "mlsec-jobs",
    schedule: false,
    useListenNotify: true,
    superviseIntervalSeconds: 2,
    monitorIntervalSeconds: 5,
    queueCacheIntervalSeconds: 30,
    openTelemetry: { enabled: false },
  });
  boss.on("error", (error) => log.warn({ error: describeError(error) }, "jobs"));
  boss.on("warning", (warning) => log.debug({ warning }, "jobs"));
  return boss.start();
}

async function createQueue(boss: PgBoss, queue: string, definition: AnyDefinition | undefined): Promise<void> {
  const limits = {
    expireInSeconds: definition?.expireInSeconds ?? 900,
    retryLimit: definition?.retryLimit ?? 5,
    retryDelay: definition?.retryDelaySeconds ?? 0,
    heartbeatSeconds,
    notify: true,
  };
  const known = await boss.getQueue(queue);
  if (known) await boss.updateQueue(queue, limits);
  else await boss.createQueue(queue, { policy: "exclusive", ...limits });
}

/** Every queue is `exclusive`: one waiting or running job per key. Without a key of its own a job gets one. */
const sending = ({ priority, singletonKey, startAfter }: SendOptions) => ({
  priority: priority ?? 0,
  singletonKey: singletonKey ?? crypto.randomUUID(),
  ...(startAfter ? { startAfter } : {}),
});

async function stateOf(boss: PgBoss, queue: string, id: string): Promise<JobState | undefined> {
  const [job] = await boss.findJobs(queue, { id });
  if (!job) return undefined;
  return {
    id: job.id,
    state: job.state,
    attempt: job.retryCount,
    createdAt: job.createdOn,
    ...(job.startedOn ? { startedAt: job.startedOn } : {}),
    ...(job.completedOn ? { completedAt: job.completedOn } : {}),
  };
}

/** Nobody else works on this database, so whatever is still active was killed with its process. */
async function failOver(boss: PgBoss, db: Database, log: Logger): Promise<void> {
  const rows = await db.query<{ name: string; ids: string[] }>(
    `select name, array_agg(id::text) as ids from ${schema}.job where state = 'active' group by name`,
  );
  for (const { name, ids } of rows) {
    log.info({ queue: name, jobs: ids.length }, "jobs of a killed process are taken up again");
    await boss.fail(name, ids, { message: "the process that ran it was killed" });
  }
}

async function* watch(progress: EventEmitter, id: string, signal: AbortSignal): AsyncIterable<unknown> {
  try {
    for await (const [data] of on(progress, id, { signal }) as AsyncIterable<[unknown]>) {
      if (typeof data === "object" && data !== null && "ended" in data) return;
      yield data;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
