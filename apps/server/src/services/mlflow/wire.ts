// Rows in the form MLflow's clients read.
import type { MlflowMetric, MlflowModelVersion, MlflowRun } from "@mlsec/contracts";
import type { AliasRow, ModelRow, VersionRow } from "./registry/store.ts";
import type { ExperimentRow, MetricRow, Pairs, RunRow } from "./store.ts";

interface Pair {
  key: string;
  value: string;
}
export const toList = (pairs: Pairs): Pair[] => Object.entries(pairs).map(([key, value]) => ({ key, value }));
export const toPairs = (list: readonly Pair[] | undefined): Pairs =>
  Object.fromEntries((list ?? []).map(({ key, value }) => [key, value]));

/** JSON has no NaN: MLflow writes it as a word. */
export const toMetric = ({ key, value, timestamp, step }: MetricRow): MlflowMetric => ({
  key,
  value: Number.isFinite(value) ? value : (String(value) as "NaN" | "Infinity" | "-Infinity"),
  timestamp,
  step,
});

export const toExperiment = (row: ExperimentRow) => ({
  experiment_id: String(row.experiment_id),
  name: row.name,
  artifact_location: row.artifact_location,
  lifecycle_stage: row.lifecycle_stage,
  creation_time: row.creation_time,
  last_update_time: row.last_update_time,
  tags: toList(row.tags),
});

export const toRunInfo = (row: RunRow): MlflowRun["info"] => ({
  run_id: row.run_id,
  run_uuid: row.run_id,
  run_name: row.run_name,
  experiment_id: String(row.experiment_id),
  user_id: row.user_id,
  status: row.status,
  start_time: row.start_time,
  ...(row.end_time === null ? {} : { end_time: row.end_time }),
  artifact_uri: row.artifact_uri,
  lifecycle_stage: row.lifecycle_stage,
});

export const toRun = (row: RunRow, metrics: readonly MetricRow[]): MlflowRun => ({
  info: toRunInfo(row),
  data: { metrics: metrics.map(toMetric), params: toList(row.params), tags: toList(row.tags) },
  inputs: {},
});

export const toVersion = (row: VersionRow): MlflowModelVersion => ({
  name: row.name,
  version: String(row.version),
  creation_timestamp: row.creation_timestamp,
  last_updated_timestamp: row.last_updated_timestamp,
  current_stage: "None",
  description: row.description,
  source: row.source,
  run_id: row.run_id,
  status: "READY",
  run_link: row.run_link,
  aliases: [...row.aliases],
  tags: toList(row.tags),
});

export const toModel = (row: ModelRow, latest: readonly VersionRow[], aliases: readonly AliasRow[]) => ({
  name: row.name,
  creation_timestamp: row.creation_timestamp,
  last_updated_timestamp: row.last_updated_timestamp,
  description: row.description,
  latest_versions: latest.filter((v) => v.name === row.name).map(toVersion),
  aliases: aliases
    .filter((a) => a.name === row.name)
    .map(({ alias, version }) => ({ alias, version: String(version) })),
  tags: toList(row.tags),
});
