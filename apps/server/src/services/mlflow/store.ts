// Experiments, runs and metrics in PostgreSQL. The registry's tables are in registry/store.ts.
import type { Database } from "../../platform/db/database.ts";
import { conditionOf, createParameters, orderOf, type Searchable } from "./conditions.ts";

export type Pairs = Readonly<Record<string, string>>;
export interface ExperimentRow {
  readonly experiment_id: number;
  readonly name: string;
  readonly artifact_location: string;
  readonly lifecycle_stage: string;
  readonly creation_time: number;
  readonly last_update_time: number;
  readonly tags: Pairs;
}
export interface RunRow {
  readonly run_id: string;
  readonly run_name: string;
  readonly experiment_id: number;
  readonly user_id: string;
  readonly status: string;
  readonly start_time: number;
  readonly end_time: number | null;
  readonly artifact_uri: string;
  readonly lifecycle_stage: string;
  readonly params: Pairs;
  readonly tags: Pairs;
}
export interface MetricRow {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}
export interface Search {
  readonly filter?: string | undefined;
  readonly orderBy?: readonly string[] | undefined;
  /** ACTIVE_ONLY, DELETED_ONLY or ALL. */
  readonly view?: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

const experimentSearch: Searchable = {
  texts: { name: "name", experiment_id: "experiment_id::text" },
  numbers: { creation_time: "creation_time", last_update_time: "last_update_time" },
  keyed: { tag: "tags->>$key" },
  standardOrder: "last_update_time desc",
  tieBreak: "experiment_id desc",
};
const runSearch: Searchable = {
  texts: {
    run_id: "r.run_id",
    run_name: "r.run_name",
    "run name": "r.run_name",
    status: "r.status",
    user_id: "r.user_id",
    artifact_uri: "r.artifact_uri",
    experiment_id: "r.experiment_id::text",
  },
  numbers: { start_time: "r.start_time", created: "r.start_time", end_time: "r.end_time" },
  keyed: {
    param: "r.params->>$key",
    tag: "r.tags->>$key",
    metric:
      "select value from mlflow_metrics m where m.run_id = r.run_id and m.key = $key order by step desc, timestamp desc, value desc limit 1",
  },
  standardOrder: "r.start_time desc",
  tieBreak: "r.run_id",
};
const stages = (view: string | undefined): string[] =>
  view === "ALL" ? ["active", "deleted"] : [view === "DELETED_ONLY" ? "deleted" : "active"];

export type MlflowStore = ReturnType<typeof createMlflowStore>;

export function createMlflowStore(db: Database) {
  return { ...experiments(db), ...runs(db), ...metrics(db) };
}

function experiments(db: Database) {
  return {
    /** Undefined when the name is taken. */
    addExperiment: (name: string, location: string | undefined, now: number, tags: Pairs) =>
      db.one<ExperimentRow>(
        `with id as (select nextval(pg_get_serial_sequence('mlflow_experiments', 'experiment_id')) as id)
         insert into mlflow_experiments (experiment_id, name, artifact_location, creation_time, last_update_time, tags)
         select id, $1, coalesce($2, 'mlflow-artifacts:/' || id), $3, $3, $4::jsonb from id
         on conflict (name) do nothing returning *`,
        [name, location ?? null, now, tags],
      ),
    experiment: (id: number) =>
      db.one<ExperimentRow>("select * from mlflow_experiments where experiment_id = $1", [id]),
    experimentByName: (name: string) =>
      db.one<ExperimentRow>("select * from mlflow_experiments where name = $1", [name]),
    searchExperiments(search: Search): Promise<ExperimentRow[]> {
      const p = createParameters();
      const condition = conditionOf(search.filter, experimentSearch, p);
      const order = orderOf(search.orderBy, experimentSearch, p);
      return db.query<ExperimentRow>(
        `select * from mlflow_experiments where lifecycle_stage = any(${p.add(stages(search.view))}::text[]) and ${condition}
         order by ${order} limit ${p.add(search.limit)} offset ${p.add(search.offset)}`,
        p.values,
      );
    },
    setExperimentStage: (id: number, stage: string, now: number) =>
      db.query("update mlflow_experiments set lifecycle_stage = $2, last_update_time = $3 where experiment_id = $1", [
        id,
        stage,
        now,
      ]),
    renameExperiment: (id: number, name: string, now: number) =>
      db.query("update mlflow_experiments set name = $2, last_update_time = $3 where experiment_id = $1", [
        id,
        name,
        now,
      ]),
    tagExperiment: (id: number, tags: Pairs) =>
      db.query("update mlflow_experiments set tags = tags || $2::jsonb where experiment_id = $1", [id, tags]),
  };
}

function runs(db: Database) {
  return {
    addRun: (run: Omit<RunRow, "params" | "lifecycle_stage" | "end_time">) =>
      db.one<RunRow>(
        `insert into mlflow_runs (run_id, run_name, experiment_id, user_id, status, start_time, artifact_uri, tags)
         values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb) returning *`,
        [
          run.run_id,
          run.run_name,
          run.experiment_id,
          run.user_id,
          run.status,
          run.start_time,
          run.artifact_uri,
          run.tags,
        ],
      ),
    run: (id: string) => db.one<RunRow>("select * from mlflow_runs where run_id = $1", [id]),
    updateRun: (
      id: string,
      change: { status?: string | undefined; end?: number | undefined; name?: string | undefined },
    ) =>
      db.one<RunRow>(
        `update mlflow_runs set status = coalesce($2, status), end_time = coalesce($3, end_time), run_name = coalesce($4, run_name),
           tags = case when $4::text is null then tags else tags || jsonb_build_object('mlflow.runName', $4::text) end
         where run_id = $1 returning *`,
        [id, change.status ?? null, change.end ?? null, change.name ?? null],
      ),
    setRunStage: (id: string, stage: string) =>
      db.query("update mlflow_runs set lifecycle_stage = $2 where run_id = $1", [id, stage]),
    tagRun: (id: string, tags: Pairs) =>
      db.query("update mlflow_runs set tags = tags || $2::jsonb where run_id = $1", [id, tags]),
    untagRun: (id: string, key: string) =>
      db.query("update mlflow_runs set tags = tags - $2 where run_id = $1", [id, key]),
    /** Params never change: false when one of them has another value already; then none is stored. */
    async addParams(id: string, params: Pairs): Promise<boolean> {
      const changed = await db.query(
        `update mlflow_runs set params = params || $2::jsonb
         where run_id = $1 and not exists (select from jsonb_each_text($2::jsonb) n where params ? n.key and params->>n.key <> n.value)
         returning run_id`,
        [id, params],
      );
      return changed.length > 0;
    },
    searchRuns(experimentIds: readonly number[], search: Search): Promise<RunRow[]> {
      const p = createParameters();
      const condition = conditionOf(search.filter, runSearch, p);
      const order = orderOf(search.orderBy, runSearch, p);
      return db.query<RunRow>(
        `select r.* from mlflow_runs r where r.experiment_id = any(${p.add(experimentIds)}::bigint[])
           and r.lifecycle_stage = any(${p.add(stages(search.view))}::text[]) and ${condition}
         order by ${order} limit ${p.add(search.limit)} offset ${p.add(search.offset)}`,
        p.values,
      );
    },
  };
}

function metrics(db: Database) {
  return {
    addMetrics: (runId: string, rows: readonly MetricRow[]) =>
      db.query(
        `insert into mlflow_metrics (run_id, key, value, timestamp, step)
         select $1, * from unnest($2::text[], $3::double precision[], $4::bigint[], $5::bigint[]) on conflict do nothing`,
        [
          runId,
          rows.map((r) => r.key),
          rows.map((r) => r.value),
          rows.map((r) => r.timestamp),
          rows.map((r) => r.step),
        ],
      ),
    metricHistory: (runId: string, key: string, limit: number, offset: number) =>
      db.query<MetricRow>(
        `select key, value, timestamp, step from mlflow_metrics where run_id = $1 and key = $2
         order by step, timestamp, value limit $3 offset $4`,
        [runId, key, limit, offset],
      ),
    /** The last value of each metric of each run. */
    latestMetrics: (runIds: readonly string[]) =>
      db.query<MetricRow & { run_id: string }>(
        `select distinct on (run_id, key) run_id, key, value, timestamp, step from mlflow_metrics where run_id = any($1::text[])
         order by run_id, key, step desc, timestamp desc, value desc`,
        [runIds],
      ),
  };
}
