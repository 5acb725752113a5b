// Takes a test from wherever its ledger stands to its end. Killed at any moment, the next run goes on from there.
import { AppError } from "@mlsec/contracts";
import type { ServiceContext } from "../../platform/service.ts";
import { planCampaign } from "./campaign.ts";
import { judge } from "./judge.ts";
import type { Outbox } from "./outbox.ts";
import type { Store, TestRow } from "./store.ts";

const batchSize = 64;
const mostTries = 4;

export interface Runner {
  /**
   * Runs a test to its end and answers it as it ended, failed ones included. When the signal aborts, the test stays
   * `running` and the abort's reason is thrown; so is what broke inside, unless this is the last try.
   */
  run(testId: string, signal: AbortSignal, options?: { isLastTry?: boolean }): Promise<TestRow>;
}
type Needs = Pick<ServiceContext, "clients" | "clock" | "live" | "log" | "metrics">;

export function createRunner(context: Needs, store: Store, outbox: Outbox): Runner {
  const finish = async (test: TestRow, end: Ending): Promise<TestRow> => {
    const ended = await store.finish(test, { ...end, at: context.clock() });
    const row = ended ?? (await store.find(test.id)) ?? test;
    context.live.publish("test", { test_id: row.id, status: row.status });
    context.log.info({ testId: row.id, status: row.status, model: row.model_name }, "test ended");
    if (ended?.status === "completed") await outbox.deliver(ended);
    return row;
  };
  return {
    async run(testId, signal, options = {}) {
      const test = await store.find(testId);
      if (!test) throw new AppError("NOT_FOUND", `no test ${testId}`);
      if (test.status !== "running") return test;
      try {
        await attack(context, store, test, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof AppError)) {
          if (!options.isLastTry) throw error;
          const detail = "something broke inside; the log says what";
          await finish(test, { status: "failed", error: { code: "INTERNAL", detail } });
          throw error;
        }
        return finish(test, { status: "failed", error: { code: error.code, detail: error.message } });
      }
      return finish(test, await endingOf(store, test));
    },
  };
}

type Ending = Omit<Parameters<Store["finish"]>[1], "at">;

/** A test in which nothing was answered has no rate: it failed. */
async function endingOf(store: Store, test: TestRow): Promise<Ending> {
  const { done, errored, detection_rate, total_attacks } = await store.figures(test);
  const isAnswered = errored < done && (total_attacks === 0 || detection_rate !== null);
  if (isAnswered) return { status: "completed" };
  const first = (await store.attempts(test.id)).find(({ error }) => error !== undefined)?.error ?? "no texts";
  return { status: "failed", error: { code: "UNAVAILABLE", detail: `no attack got an answer; the first: ${first}` } };
}

async function attack(context: Needs, store: Store, test: TestRow, signal: AbortSignal): Promise<void> {
  if (!test.is_planned) await store.plan(test.id, await planCampaign(test));
  const outcomesSeen = context.metrics.counter("mlsec_redteam_attempts_total", "Attempts by outcome.", ["status"]);
  let tries = mostTries;
  let version = test.threshold === null ? undefined : test.model_version;
  for (;;) {
    signal.throwIfAborted();
    const pending = await store.pending(test.id, batchSize);
    if (pending.length === 0 || (await store.find(test.id))?.status !== "running") return;
    const judged = await judge(context.clients["model-api"], pending, {
      model: test.requested_model,
      version,
      tries,
      signal,
    });
    if (judged.model && version === undefined) {
      version = judged.model.version;
      await store.setModel(test.id, judged.model);
    }
    await store.record(test.id, judged.outcomes);
    for (const { status } of judged.outcomes) outcomesSeen.inc({ status });
    // After a batch that nobody answered, the next ones are asked once each until somebody does.
    tries = judged.model ? mostTries : 1;
    context.live.publish("test", { test_id: test.id, status: "running", done: pending.at(-1)?.ordinal ?? 0 });
  }
}
