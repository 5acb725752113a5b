// Every finished test reaches analytics: delivered at once, and again every few seconds until it is stored there.
import { createHash } from "node:crypto";
import type { AttemptResult } from "@mlsec/contracts";
import type { ServiceContext } from "../../platform/service.ts";
import type { Store, TestRow } from "./store.ts";

const retryMs = 5000;
const callTimeoutMs = 10_000;
const mostResults = 5000;

export interface Outbox {
  /** True when analytics has it now; otherwise it is tried again later. */
  deliver(test: TestRow): Promise<boolean>;
  /** Delivers what an earlier process left. */
  deliverAll(): Promise<void>;
  stop(): void;
}

export function createOutbox({ clients, log }: Pick<ServiceContext, "clients" | "log">, store: Store): Outbox {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const retryLater = (): void => {
    if (stopped || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      outbox.deliverAll().catch((error: unknown) => {
        log.warn({ error }, "finished tests could not be read");
        retryLater();
      });
    }, retryMs).unref();
  };
  const outbox: Outbox = {
    async deliver(test) {
      try {
        const body = await storedTest(store, test);
        await clients.analytics.storeTest({ body, signal: AbortSignal.timeout(callTimeoutMs) });
        await store.setReported(test.id);
        return true;
      } catch (error) {
        log.warn({ testId: test.id, error }, "analytics did not store a finished test; trying again");
        retryLater();
        return false;
      }
    },
    async deliverAll() {
      for (const test of await store.unreported()) if (!(await outbox.deliver(test))) return;
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
  return outbox;
}

type Body = NonNullable<NonNullable<Parameters<ServiceContext["clients"]["analytics"]["storeTest"]>[0]>["body"]>;

async function storedTest(store: Store, test: TestRow): Promise<Body> {
  const figures = await store.figures(test);
  const attempts = await store.attempts(test.id);
  const counts = Object.entries(figures.by_category).map(([name, { attacks, detected }]) => [
    name,
    { attacks, detected },
  ]);
  return {
    test_id: test.id,
    model_name: test.model_name,
    model_version: test.model_version,
    requested_model: test.requested_model,
    trigger: test.trigger,
    labelled: figures.overall_status !== "UNLABELLED",
    total_attacks: figures.total_attacks,
    vulnerabilities_found: figures.vulnerabilities_found,
    detection_rate: figures.detection_rate ?? 0,
    false_positive_rate: figures.false_positive_rate,
    total_benign: figures.total_benign,
    errored: figures.errored,
    attack_categories: Object.keys(figures.by_category),
    by_category: Object.fromEntries(counts),
    attack_results: attempts.slice(0, mostResults).map(withoutText),
    created_at: test.created_at.toISOString(),
  };
}

/** Analytics never sees a text, only its hash. */
function withoutText({ text, error: _, ...result }: AttemptResult): Record<string, unknown> {
  return { ...result, text_sha256: createHash("sha256").update(text).digest("hex") };
}
