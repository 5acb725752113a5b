// Experiments, runs, metrics, params and tags: the handlers of MLflow's tracking paths.
import { AppError, type Handlers, type mlflow, type MlflowMetric } from "@mlsec/contracts";
import { pageOf } from "./conditions.ts";
import type { ExperimentRow, MetricRow, MlflowStore, Pairs, RunRow } from "./store.ts";
import { toExperiment, toMetric, toPairs, toRun, toRunInfo } from "./wire.ts";

type Mlflow = Handlers<typeof mlflow>;
export interface Parts {
  readonly store: MlflowStore;
  readonly clock: () => Date;
}
const statuses = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];
const invalid = (message: string): AppError => new AppError("INVALID_INPUT", message);

/** A run by either of the names its id has. NOT_FOUND when there is none. */
export async function findRun(
  store: MlflowStore,
  query: { run_id?: string | undefined; run_uuid?: string | undefined },
): Promise<RunRow> {
  const id = query.run_id ?? query.run_uuid;
  if (id === undefined) throw invalid("run_id: missing");
  const run = await store.run(id);
  if (!run) throw new AppError("NOT_FOUND", `no run ${JSON.stringify(id.slice(0, 100))}`);
  return run;
}

async function findExperiment(store: MlflowStore, id: string): Promise<ExperimentRow> {
  const found = /^\d{1,18}$/.test(id) ? await store.experiment(Number(id)) : undefined;
  if (!found) throw new AppError("NOT_FOUND", `no experiment with the id ${JSON.stringify(id.slice(0, 100))}`);
  return found;
}

/** One row more is asked for than fits the page, so that the last page has no token. */
export async function paged<T>(
  query: { max_results?: number | undefined; page_token?: string | undefined },
  fetch: (page: { limit: number; offset: number }) => Promise<T[]>,
): Promise<{ rows: T[]; next: { next_page_token?: string } }> {
  const { limit, offset } = pageOf(query.max_results, query.page_token);
  const rows = await fetch({ limit: limit + 1, offset });
  const more = rows.length > limit;
  return { rows: rows.slice(0, limit), next: more ? { next_page_token: String(offset + limit) } : {} };
}

export const toMetricRow = (m: {
  key: string;
  value: MlflowMetric["value"];
  timestamp: number;
  step?: number | undefined;
}): MetricRow => ({
  key: m.key,
  value: Number(m.value),
  timestamp: Math.round(m.timestamp),
  step: Math.round(m.step ?? 0),
});

export function trackingHandlers(parts: Parts) {
  return { ...experimentHandlers(parts), ...runHandlers(parts), ...valueHandlers(parts) };
}

function experimentHandlers({ store, clock }: Parts) {
  const now = (): number => clock().getTime();
  const listed = async (search: {
    filter?: string | undefined;
    order_by?: string[] | undefined;
    view_type?: string | undefined;
    max_results?: number | undefined;
    page_token?: string | undefined;
  }) => {
    const { rows, next } = await paged(search, (page) =>
      store.searchExperiments({ filter: search.filter, orderBy: search.order_by, view: search.view_type, ...page }),
    );
    return { experiments: rows.map(toExperiment), ...next };
  };
  return {
    async createExperiment({ body }) {
      const row = await store.addExperiment(body.name, body.artifact_location, now(), toPairs(body.tags));
      if (!row) throw new AppError("CONFLICT", `Experiment ${JSON.stringify(body.name)} already exists.`);
      return { experiment_id: String(row.experiment_id) };
    },
    getExperiment: async ({ query }) => ({
      experiment: toExperiment(await findExperiment(store, query.experiment_id)),
    }),
    async getExperimentByName({ query }) {
      const row = await store.experimentByName(query.experiment_name);
      if (!row)
        throw new AppError("NOT_FOUND", `Could not find experiment with name ${JSON.stringify(query.experiment_name)}`);
      return { experiment: toExperiment(row) };
    },
    searchExperiments: ({ body }) => listed(body),
    listExperiments: ({ query }) => listed(query),
    async deleteExperiment({ body }) {
      const { experiment_id } = await findExperiment(store, body.experiment_id);
      await store.setExperimentStage(experiment_id, "deleted", now());
      return {};
    },
    async restoreExperiment({ body }) {
      const { experiment_id } = await findExperiment(store, body.experiment_id);
      await store.setExperimentStage(experiment_id, "active", now());
      return {};
    },
    async updateExperiment({ body }) {
      const { experiment_id } = await findExperiment(store, body.experiment_id);
      if (await store.experimentByName(body.new_name))
        throw new AppError("CONFLICT", `Experiment ${JSON.stringify(body.new_name)} already exists.`);
      await store.renameExperiment(experiment_id, body.new_name, now());
      return {};
    },
    async setExperimentTag({ body }) {
      const { experiment_id } = await findExperiment(store, body.experiment_id);
      await store.tagExperiment(experiment_id, { [body.key]: body.value });
      return {};
    },
  } satisfies Partial<Mlflow>;
}

function runHandlers({ store, clock }: Parts) {
  return {
    async createRun({ body }) {
      const experiment = await findExperiment(store, body.experiment_id);
      if (experiment.lifecycle_stage !== "active") throw invalid(`experiment ${body.experiment_id} is deleted`);
      const tags: Pairs = toPairs(body.tags);
      const id = crypto.randomUUID().replaceAll("-", "");
      const name = body.run_name || (tags["mlflow.runName"] ?? `run-${id.slice(0, 8)}`);
      const run = await store.addRun({
        run_id: id,
        run_name: name,
        experiment_id: experiment.experiment_id,
        user_id: body.user_id ?? "",
        status: "RUNNING",
        start_time: body.start_time ?? clock().getTime(),
        artifact_uri: `${experiment.artifact_location.replace(/\/$/, "")}/${id}/artifacts`,
        tags: { ...tags, "mlflow.runName": name },
      });
      if (!run) throw new AppError("INTERNAL", "the run was not stored");
      return { run: toRun(run, []) };
    },
    async updateRun({ body }) {
      await findRun(store, body);
      if (body.status !== undefined && !statuses.includes(body.status))
        throw invalid(`status: expected one of ${statuses.join(", ")}`);
      const run = await store.updateRun(body.run_id, {
        status: body.status,
        end: body.end_time,
        name: body.run_name || undefined,
      });
      if (!run) throw new AppError("NOT_FOUND", `no run ${body.run_id}`);
      return { run_info: toRunInfo(run) };
    },
    async getRun({ query }) {
      const run = await findRun(store, query);
      return { run: toRun(run, await store.latestMetrics([run.run_id])) };
    },
    async deleteRun({ body }) {
      await findRun(store, body);
      await store.setRunStage(body.run_id, "deleted");
      return {};
    },
    async restoreRun({ body }) {
      await findRun(store, body);
      await store.setRunStage(body.run_id, "active");
      return {};
    },
    async searchRuns({ body }) {
      const ids = (body.experiment_ids ?? []).filter((id) => /^\d{1,18}$/.test(id)).map(Number);
      const { rows, next } = await paged(body, (page) =>
        store.searchRuns(ids, { filter: body.filter, orderBy: body.order_by, view: body.run_view_type, ...page }),
      );
      const latest = Map.groupBy(await store.latestMetrics(rows.map((r) => r.run_id)), (m) => m.run_id);
      return { runs: rows.map((row) => toRun(row, latest.get(row.run_id) ?? [])), ...next };
    },
  } satisfies Partial<Mlflow>;
}

function valueHandlers({ store }: Parts) {
  const addParams = async (runId: string, params: Pairs): Promise<void> => {
    if (await store.addParams(runId, params)) return;
    throw invalid(
      `Changing param values is not allowed. One of ${Object.keys(params).join(", ").slice(0, 200)} was already logged with another value for run ID ${runId}.`,
    );
  };
  return {
    async logMetric({ body }) {
      await findRun(store, body);
      await store.addMetrics(body.run_id, [toMetricRow(body)]);
      return {};
    },
    async logParam({ body }) {
      await findRun(store, body);
      await addParams(body.run_id, { [body.key]: body.value });
      return {};
    },
    async logBatch({ body }) {
      await findRun(store, body);
      if (body.params?.length) await addParams(body.run_id, toPairs(body.params));
      if (body.metrics?.length) await store.addMetrics(body.run_id, body.metrics.map(toMetricRow));
      if (body.tags?.length) await store.tagRun(body.run_id, toPairs(body.tags));
      return {};
    },
    async setRunTag({ body }) {
      await findRun(store, body);
      await store.tagRun(body.run_id, { [body.key]: body.value });
      return {};
    },
    async deleteRunTag({ body }) {
      const run = await findRun(store, body);
      if (!Object.hasOwn(run.tags, body.key))
        throw new AppError("NOT_FOUND", `the run has no tag ${JSON.stringify(body.key)}`);
      await store.untagRun(body.run_id, body.key);
      return {};
    },
    async metricHistory({ query }) {
      const run = await findRun(store, query);
      const { rows, next } = await paged(query, ({ limit, offset }) =>
        store.metricHistory(run.run_id, query.metric_key, limit, offset),
      );
      return { metrics: rows.map(toMetric), ...next };
    },
  } satisfies Partial<Mlflow>;
}
