import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseConfig } from "../../platform/config/config.ts";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";
import { makeToyModels } from "../../testing/toy-models.ts";
import { trainingConfig } from "./config.ts";
import { createRegistry } from "./registry.ts";
import { registerShipped, storeFirstData } from "./shipped.ts";
import { createJobStore } from "./store.ts";

let models: string;
let system: TestSystem;
beforeAll(async () => {
  models = await makeToyModels(["distilbert"]);
  system = await startTestSystem({ services: ["training", "mlflow"], environment: { MLSEC_SHIPPED_MODELS: models } });
});
afterAll(async () => {
  await system.stop();
  fs.rmSync(models, { recursive: true, force: true });
});
const entries = async () =>
  (await system.clients.training.registry()).versions["distilbert"]?.map(({ version, alias }) => `${version} ${alias}`);

test("the first start stores the shipped rows and registers the shipped detectors", async () => {
  expect(await system.system.storage.head("ml-security", "training_data/security_data.jsonl")).toMatchObject({
    contentType: "application/x-ndjson",
  });
  const { best_models } = await system.clients.training.registry();
  expect(best_models["distilbert"]).toMatchObject({
    version: "1",
    alias: "champion",
    run_id: null,
    f1_score: expect.any(Number),
  });
  expect(await entries()).toEqual(["1 champion"]);
});

test("later starts change nothing, unless the folder changed; a champion chosen here stays", async () => {
  const config = trainingConfig(parseConfig({ MLSEC_SHIPPED_MODELS: models, MLSEC_DATA_DIR: system.dataDir }));
  const { clients, db } = system;
  const parts = {
    registry: createRegistry(clients.mlflow),
    store: createJobStore(db),
    clients,
    log: system.system.log,
    clock: () => new Date(),
  };
  const change = (): void => fs.appendFileSync(path.join(models, "distilbert", "detector.json"), " ");
  await storeFirstData(system.system.storage, config);
  await registerShipped(parts, config);
  expect(await entries()).toEqual(["1 champion"]);
  change();
  await registerShipped(parts, config);
  expect(await entries()).toEqual(["2 champion", "1 previous"]);
  await clients.mlflow.createModelVersion({
    body: { name: "security_distilbert", source: "s3://ml-security/elsewhere" },
  });
  await clients.training.promote({ params: { name: "distilbert" }, body: { version: "3" } });
  change();
  await registerShipped(parts, config);
  expect(await entries()).toEqual(["4 candidate", "3 champion", "2 previous", "1 null"]);
});
