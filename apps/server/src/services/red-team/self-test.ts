// Before the system first reports ready, each detector answers a small test, so that every summary has real figures.
import { randomUUID } from "node:crypto";
import type { ModelState } from "@mlsec/contracts";
import type { ServiceContext } from "../../platform/service.ts";
import { selfTestAttempts } from "./campaign.ts";
import type { Runner } from "./runner.ts";
import type { Store } from "./store.ts";

const timeoutMs = 20_000;

/** Tests every loaded detector whose version has no self-test yet. Throws when the model API cannot be asked. */
export async function runSelfTests(
  { clients, clock, log }: Pick<ServiceContext, "clients" | "clock" | "log">,
  store: Store,
  runner: Runner,
): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  const { models } = await clients["model-api"].listModels({ signal });
  for (const model of models.filter(canJudge)) {
    const version = model.version ?? "";
    if (await store.hasSelfTest(model.name, version)) continue;
    const id = randomUUID();
    await store.create(
      {
        id,
        trigger: "first_start",
        model_name: model.name,
        requested_model: model.name,
        model_version: version,
        threshold: model.threshold,
        pass_threshold: 0.8,
        seed: null,
        campaign: null,
        created_at: clock(),
      },
      await selfTestAttempts(),
    );
    const test = await runner.run(id, signal);
    log.info({ model: model.name, version, status: test.status }, "self-test of a detector");
  }
}

const canJudge = (model: ModelState): boolean =>
  model.state === "loaded" && model.kind !== "encoder" && model.version !== null && model.labels.includes("benign");
