// Model API: verdicts of the loaded detectors. Sessions live in one inference worker; this thread has none.
import os from "node:os";
import { modelApi } from "@mlsec/contracts";
import { defineService, type ServiceContext, type ServiceInstance } from "../../platform/service.ts";
import { modelApiSlice } from "./config.ts";
import { createInference, type Inference, type InferenceOptions } from "./inference/inference.ts";
import { createArtefacts } from "./models/artefacts.ts";
import { type Catalogue, createCatalogue } from "./models/catalogue.ts";
import { createDownloads } from "./models/downloads.ts";
import { createPool, type Pool } from "./models/pool.ts";
import { createRegistry } from "./models/registry.ts";
import { shippedRoot } from "./models/shipped.ts";
import { createStates } from "./models/states.ts";
import { parseName } from "./names.ts";
import { modelApiRoutes } from "./routes.ts";
import { createStatsRing } from "./stats.ts";
import { createVerdictStore } from "./store.ts";
import { createAdmission } from "./verdicts/admission.ts";
import { createVerdictCache } from "./verdicts/cache.ts";
import { createJudge } from "./verdicts/judge.ts";
import { createRecorder } from "./verdicts/recorder.ts";

export const service = defineService({ name: "model-api", contract: modelApi, create });

const firstPauseMs = 5_000;
const longestPauseMs = 60_000;

async function create(context: ServiceContext): Promise<ServiceInstance<typeof modelApi>> {
  const { config, log, db, storage, clients, metrics, clock, live } = context;
  const settings = config.read(modelApiSlice);
  if (config.storeText !== "none")
    log.warn(
      { MLSEC_STORE_TEXT: config.storeText },
      "texts are not stored yet, whatever is asked: only hash and scores",
    );
  const provider = settings.MLSEC_EXECUTION_PROVIDER;
  const threads = settings.MLSEC_INFER_THREADS ?? os.availableParallelism();
  const inference = openInference(context, { threads, provider });
  const artefacts = createArtefacts(storage, config.dataDir);
  const downloads = createDownloads(config);
  const catalogue = createCatalogue({
    root: shippedRoot(settings.MLSEC_SHIPPED_MODELS),
    modelDirs: config.modelDirs,
    registry: createRegistry(clients.mlflow),
    artefacts,
    downloads,
    bucket: config.storage.bucket,
    log,
  });
  const cache = createVerdictCache(settings.MLSEC_VERDICT_CACHE_MB * 2 ** 20);
  const admission = createAdmission(settings.MLSEC_MAX_WAITING);
  const waiting = metrics.gauge("mlsec_verdicts_waiting", "Texts that wait for a verdict, long ones counted more.");
  Object.assign(waiting, { collect: () => waiting.set(admission.waiting) });
  const root = shippedRoot(settings.MLSEC_SHIPPED_MODELS);
  const pool = createPool({
    inference,
    catalogue,
    clock,
    budgetBytes: settings.MLSEC_MODEL_MEMORY_MB === undefined ? undefined : settings.MLSEC_MODEL_MEMORY_MB * 2 ** 20,
    standard: parseName(config.defaultModel).name,
    students: settings.MLSEC_CASCADE === "on" ? root : undefined,
    onChange: (slot, served) => {
      cache.clear(slot);
      live.publish("model", { name: slot, version: served?.located.version ?? null });
    },
    onError: (error) => log.warn({ error }, "a detector could not be freed"),
  });
  const judge = createJudge({ pool, catalogue, cache, admission, metrics, maxChars: config.maxTextChars });
  const store = createVerdictStore(db);
  const recorder = createRecorder(store, log, metrics);
  const parts = {
    judge,
    pool,
    states: createStates(pool, catalogue, downloads),
    catalogue,
    downloads,
    cache,
    recorder,
    store,
    metrics,
    clock,
    provider,
  };
  const settle = createSettler(context, pool);
  return {
    handlers: modelApiRoutes({ ...parts, stats: createStatsRing(clock), defaultModel: config.defaultModel }),
    ready: () => readiness(context, inference, pool),
    async start() {
      await artefacts.prune();
      await loadChampions(context, catalogue, pool);
      settle.start();
    },
    async stop() {
      settle.stop();
      await downloads.stop();
      await recorder.stop();
      await inference.close();
    },
  };
}

function openInference(
  { metrics, log, clock }: ServiceContext,
  { threads, provider }: Required<Pick<InferenceOptions, "threads" | "provider">>,
): Inference {
  const crashes = metrics.counter("mlsec_inference_crashes_total", "Times the inference worker died.");
  return createInference({
    threads,
    provider,
    clock,
    onBatch: ({ rows, waitMs }) => {
      metrics.batch("inference", rows);
      metrics.queued("inference", waitMs / 1000);
    },
    onCrash: (error, again) => {
      crashes.inc();
      log.error({ error, again }, "the inference worker crashed");
    },
  });
}

async function readiness({ db, config }: ServiceContext, inference: Inference, pool: Pool) {
  const down = (detail: string) => ({ status: "down" as const, detail });
  const ok = { status: "ok" as const };
  const answers = await db.query("select 1").then(
    () => true,
    () => false,
  );
  const trouble = inference.trouble();
  const loaded = pool.slot(parseName(config.defaultModel).name)?.served !== undefined;
  const checks = {
    database: answers ? ok : down("the database does not answer"),
    inference: trouble === undefined ? ok : down(trouble),
    model: loaded ? ok : down(`the default model "${config.defaultModel}" is not loaded`),
  };
  return { ready: answers && loaded && trouble === undefined, checks };
}

/** Every model that can be loaded, the default one first; one that fails is reported and shown as failed. */
async function loadChampions({ config, log }: ServiceContext, catalogue: Catalogue, pool: Pool): Promise<void> {
  const standard = parseName(config.defaultModel).name;
  const names = await catalogue.loadable();
  for (const name of [standard, ...names.filter((other) => other !== standard)]) {
    try {
      const loaded = name === standard ? await pool.load(parseName(name)) : await pool.offer(parseName(name));
      if (loaded)
        log.info({ model: name, version: loaded.located.version, memoryBytes: loaded.memoryBytes }, "model loaded");
      else log.info({ model: name }, "the memory budget is full; this model is loaded when it is asked for");
    } catch (error) {
      log.error({ error, model: name }, "a model could not be loaded");
    }
  }
}

/** Asks the registry again, ever more rarely, about detectors that stand in for what it could not say. */
function createSettler({ log }: ServiceContext, pool: Pool): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const settle = async (pauseMs: number): Promise<void> => {
    const open = pool.slots().filter(({ served }) => served?.located.provisional !== undefined);
    for (const { ref } of open)
      await pool
        .reload(ref)
        .catch((error: unknown) => log.warn({ error, model: ref.name }, "its version is still unknown"));
    if (open.length > 0) later(Math.min(2 * pauseMs, longestPauseMs));
  };
  const later = (pauseMs: number): void => {
    timer = setTimeout(() => void settle(pauseMs), pauseMs).unref();
  };
  return { start: () => later(firstPauseMs), stop: () => clearTimeout(timer) };
}
