// Red Team (8001): tests of detectors. Given texts answer at once; generated attacks run as a job.
import { randomUUID } from "node:crypto";
import { AppError, redTeam, Reply, type TestResult, type TestSummary } from "@mlsec/contracts";
import * as z from "zod";
import { defineService, type ServiceContext } from "../../platform/service.ts";
import { campaignOf, givenAttempts, listMutators, listPatterns, listTaxonomies } from "./campaign.ts";
import { createOutbox } from "./outbox.ts";
import { readCursor, TestPosition, writeCursor } from "./cursor.ts";
import { findingHandlers } from "./finding-handlers.ts";
import { createRunner, type Runner } from "./runner.ts";
import { runSelfTests } from "./self-test.ts";
import { createStore, type NewTest, type PlannedAttempt, type Store, summaryOf, type TestRow } from "./store.ts";

const queue = "red-team-test";
const longestTestSeconds = 4 * 3600;
const mostRetries = 10;
const pollMs = 150;
const selfTestRetryMs = 10_000;
type TestRequest = z.output<typeof redTeam.test.body>;

export const service = defineService({
  name: "red-team",
  contract: redTeam,
  async create(context) {
    const store = createStore(context.db);
    const outbox = createOutbox(context, store);
    const runner = createRunner(context, store, outbox);
    const lifecycle = createLifecycle(context, store, runner);
    context.jobs.define(queue, {
      schema: z.strictObject({ test_id: z.string() }),
      concurrency: 2,
      expireInSeconds: longestTestSeconds,
      retryLimit: mostRetries,
      retryDelaySeconds: 1,
      run: async ({ test_id }, { attempt, signal }) =>
        void (await runner.run(test_id, signal, { isLastTry: attempt >= mostRetries })),
    });
    const shown = async (test: TestRow): Promise<TestSummary> => summaryOf(test, await store.figures(test));
    const withResults = async (test: TestRow): Promise<TestResult> => ({
      ...(await shown(test)),
      results: await store.attempts(test.id),
    });
    const found = async (id: string): Promise<TestRow> => {
      const test = await store.find(id);
      if (!test) throw new AppError("NOT_FOUND", `no test "${id.slice(0, 100)}"; GET /results lists them`);
      return test;
    };
    return {
      handlers: {
        async test({ body, context: { signal } }) {
          const test = await newTest(context, body);
          if (body.test_texts) {
            const attempts = givenAttempts(body.test_texts);
            return withResults(await runGiven(store, runner, { test, attempts, clock: context.clock, signal }));
          }
          await store.create(test);
          const jobId = await context.jobs.send(queue, { test_id: test.id }, { singletonKey: test.id });
          if (jobId !== undefined) await store.setJob(test.id, jobId);
          if (!body.wait) return new Reply(202, await shown(await found(test.id)));
          return withResults(await ended(store, test.id, signal));
        },
        async results({ query }) {
          const { limit } = query;
          const after = query.cursor === undefined ? undefined : readCursor(query.cursor, TestPosition);
          const tests = await store.list({ model: query.model_name, from: query.from, to: query.to, after, limit });
          const page = tests.slice(0, limit);
          const results = await Promise.all(page.map(shown));
          const last = tests.length > limit ? page.at(-1) : undefined;
          return { results, next_cursor: last ? writeCursor([last.created_at.toISOString(), last.id]) : null };
        },
        result: async ({ params }) => withResults(await found(params.id)),
        status: async ({ params }) => shown(await found(params.id)),
        statusAll: async () => ({ running: await Promise.all((await store.running()).map(shown)), next_cursor: null }),
        async cancel({ params }) {
          const test = await found(params.id);
          const cancelled = await store.finish(test, { status: "cancelled", at: context.clock() });
          if (!cancelled) throw new AppError("CONFLICT", `test ${test.id} has ended already (${test.status})`);
          if (test.job_id !== null) await context.jobs.cancel(queue, test.job_id);
          context.live.publish("test", { test_id: test.id, status: "cancelled" });
          return shown(cancelled);
        },
        patterns: async () => ({ patterns: await listPatterns(), next_cursor: null }),
        mutators: async () => ({ mutators: await listMutators(), next_cursor: null }),
        taxonomies: async () => ({ taxonomies: listTaxonomies(), next_cursor: null }),
        ...findingHandlers(context, store, found),
      },
      ready: async () => ({ ready: true, checks: { database: await databaseCheck(context) } }),
      async start() {
        await outbox.deliverAll();
        await lifecycle.start();
      },
      async stop() {
        outbox.stop();
        lifecycle.stop();
      },
    };
  },
});

/** A test of a model that exists and can judge; the model API's own refusal is the answer otherwise. */
async function newTest({ clients, clock, config }: ServiceContext, body: TestRequest): Promise<NewTest> {
  const requested = body.model_name ?? config.defaultModel;
  const campaign = body.test_texts ? null : await campaignOf(body);
  const model = await clients["model-api"].getModel({ params: { name: requested } });
  if (model.state === "untrained" || model.kind === "encoder")
    throw new AppError(
      "MODEL_UNTRAINED",
      `${requested} has no trained head; test ${model.name}_trained or train it first`,
    );
  return {
    id: randomUUID(),
    trigger: body.test_texts ? "manual" : "generated",
    model_name: /^(hf|file):/.test(model.name) ? model.name : model.name.replace(/@.*$/, ""),
    requested_model: requested,
    model_version: model.version ?? "unknown",
    threshold: model.version === null ? null : model.threshold,
    pass_threshold: body.pass_threshold,
    seed: body.test_texts ? null : body.seed,
    campaign,
    created_at: clock(),
  };
}

interface Given {
  readonly test: NewTest;
  readonly attempts: readonly PlannedAttempt[];
  readonly clock: () => Date;
  readonly signal: AbortSignal;
}

/** Runs while the caller waits; a caller who leaves cancels the test. */
async function runGiven(store: Store, runner: Runner, { test, attempts, clock, signal }: Given): Promise<TestRow> {
  await store.create(test, attempts);
  try {
    return answered(await runner.run(test.id, signal));
  } catch (error) {
    const row = signal.aborted ? await store.find(test.id) : undefined;
    if (row) await store.finish(row, { status: "cancelled", at: clock() });
    throw error;
  }
}

/** The test once it has ended; it goes on when the caller leaves. */
async function ended(store: Store, id: string, signal: AbortSignal): Promise<TestRow> {
  for (;;) {
    const test = await store.find(id);
    if (test && test.status !== "running") return answered(test);
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** A test that failed is an error to whoever waits for its figures. */
function answered(test: TestRow): TestRow {
  if (test.status === "completed") return test;
  if (test.status === "cancelled") throw new AppError("CONFLICT", `test ${test.id} was cancelled`);
  const code = z.enum(["MODEL_NOT_FOUND", "MODEL_NOT_LOADED", "MODEL_UNTRAINED", "LABELS_UNMAPPED", "CONFLICT"]);
  const known = code.safeParse(test.error_code);
  throw new AppError(
    known.success ? known.data : "UNAVAILABLE",
    `test ${test.id} failed: ${test.error ?? "no answer"}`,
  );
}

async function databaseCheck({ db }: ServiceContext): Promise<{ status: "ok" | "down"; detail?: string }> {
  return db.one("select 1").then(
    () => ({ status: "ok" as const }),
    () => ({ status: "down" as const, detail: "the database does not answer" }),
  );
}

/** What happens around requests: tests that an earlier process left go on, and new detectors get their self-test. */
function createLifecycle(context: ServiceContext, store: Store, runner: Runner) {
  const { clock, jobs, log } = context;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const selfTest = async (): Promise<void> => {
    try {
      await runSelfTests(context, store, runner);
    } catch (error) {
      if (stopped) return;
      log.warn({ error }, "the self-test of the detectors did not run; trying again");
      timer = setTimeout(() => void selfTest(), selfTestRetryMs).unref();
    }
  };
  return {
    async start() {
      for (const test of await store.running()) {
        // A self-test is short: it begins anew instead of going on.
        if (test.trigger === "first_start") await store.finish(test, { status: "cancelled", at: clock() });
        else await jobs.send(queue, { test_id: test.id }, { singletonKey: test.id });
      }
      await selfTest();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
