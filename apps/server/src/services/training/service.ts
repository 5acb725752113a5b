// Training: data sets, jobs in child processes, versions and the gate before the champion.
import fs from "node:fs/promises";
import path from "node:path";
import { training as contract } from "@mlsec/contracts";
import * as z from "zod";
import { defineService } from "../../platform/service.ts";
import { createBases } from "./bases.ts";
import { trainingConfig } from "./config.ts";
import { dataHandlers } from "./data/routes.ts";
import { createDataStore } from "./data/store.ts";
import { queue, runTrainingJob } from "./job.ts";
import { createRegistry } from "./registry.ts";
import { enqueue, jobHandlers, registryHandlers, type RouteParts } from "./routes.ts";
import { registerShipped, storeFirstData } from "./shipped.ts";
import { createJobStore } from "./store.ts";

const longestJobSeconds = 24 * 3600;
// How often the queue repeats a run that was cut short; the job itself decides when it has failed.
const repeats = 100;

export const service = defineService({
  name: "training",
  contract,
  async create({ config, db, storage, jobs, clients, log, clock, live, metrics }) {
    const training = trainingConfig(config);
    const store = createJobStore(db);
    const data = createDataStore(db);
    const registry = createRegistry(clients.mlflow);
    const parts = {
      registry,
      store,
      clients,
      log,
      clock,
      live,
      data,
      storage,
      training,
      bases: createBases(config.hub, training.baseDirs),
      jobs,
      bucket: training.bucket,
      metrics,
    };
    jobs.define(queue, {
      schema: z.strictObject({ job_id: z.string() }),
      expireInSeconds: longestJobSeconds,
      retryLimit: repeats,
      retryDelaySeconds: 0,
      run: ({ job_id }, context) => runTrainingJob(parts, job_id, context),
    });
    return {
      handlers: {
        ...jobHandlers(parts),
        ...registryHandlers(parts),
        ...dataHandlers({ ...parts, maxJsonBytes: config.maxBodyBytes }),
      },
      async ready() {
        await db.query("select 1");
        return { ready: true, checks: { database: { status: "ok" } } };
      },
      async start() {
        await storeFirstData(storage, training);
        await registerShipped(parts, training);
        await recover(parts);
      },
    };
  },
});

/** Jobs that the queue lost sight of are sent again; folders of jobs that have ended are removed. */
async function recover(parts: RouteParts): Promise<void> {
  const open = await parts.store.openJobs();
  for (const job of open) {
    const state = job.queue_id === null ? undefined : (await parts.jobs.state(queue, job.queue_id))?.state;
    if (state === undefined || state === "failed" || state === "completed") await enqueue(parts, job);
    else if (state === "cancelled") await parts.store.end(job.job_id, "cancelled", parts.clock());
  }
  const kept = new Set(open.map((job) => job.job_id));
  for (const name of await fs.readdir(parts.training.jobsDir).catch(() => [])) {
    if (!kept.has(name)) await fs.rm(path.join(parts.training.jobsDir, name), { recursive: true, force: true });
  }
}
