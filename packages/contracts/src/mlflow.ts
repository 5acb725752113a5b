/** MLflow REST API, port 5000: the paths that training and the real MLflow client use. Wire names are MLflow's. */
import * as z from "zod";
import { route, type Route } from "./route.ts";

const Tag = z.object({ key: z.string(), value: z.string() });
const Param = z.object({ key: z.string(), value: z.string() });
const MetricValue = z
  .union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"])])
  .describe("JSON has no such numbers, so MLflow writes them as words.");
const Metric = z.object({ key: z.string(), value: MetricValue, timestamp: z.number(), step: z.number() });
export type MlflowMetric = z.infer<typeof Metric>;
const id = z.string().min(1).max(500);
const millis = z.number();

export const MlflowExperiment = z.looseObject({
  experiment_id: z.string(),
  name: z.string(),
  artifact_location: z.string(),
  lifecycle_stage: z.string(),
  creation_time: millis,
  last_update_time: millis,
  tags: z.array(Tag),
});
export const MlflowRunInfo = z.looseObject({
  run_id: z.string(),
  run_uuid: z.string(),
  run_name: z.string(),
  experiment_id: z.string(),
  user_id: z.string(),
  status: z.string(),
  start_time: millis,
  end_time: millis.optional(),
  artifact_uri: z.string(),
  lifecycle_stage: z.string(),
});
export const MlflowRun = z.object({
  info: MlflowRunInfo,
  data: z.object({ metrics: z.array(Metric), params: z.array(Param), tags: z.array(Tag) }),
  inputs: z.object({}).loose().optional(),
});
export type MlflowRun = z.infer<typeof MlflowRun>;
export const MlflowModelVersion = z.looseObject({
  name: z.string(),
  version: z.string(),
  creation_timestamp: millis,
  last_updated_timestamp: millis,
  current_stage: z.string(),
  description: z.string(),
  source: z.string(),
  run_id: z.string(),
  status: z.string(),
  run_link: z.string(),
  aliases: z.array(z.string()),
  tags: z.array(Tag),
});
export type MlflowModelVersion = z.infer<typeof MlflowModelVersion>;
const Alias = z.object({ alias: z.string(), version: z.string() });
export const MlflowRegisteredModel = z.looseObject({
  name: z.string(),
  creation_timestamp: millis,
  last_updated_timestamp: millis,
  description: z.string(),
  latest_versions: z.array(MlflowModelVersion),
  aliases: z.array(Alias),
  tags: z.array(Tag),
});

const root = "/api/2.0/mlflow";
type Shape = z.ZodRawShape;
// The MLflow client sends members that this slice has no use for, so bodies are loose here.
const post = <const B extends Shape, const R extends Shape>(
  path: string,
  summary: string,
  body: B,
  response: R,
  method: "POST" | "PATCH" | "DELETE" = "POST",
) =>
  route({
    method,
    path: `${root}${path}` as `/${string}`,
    summary,
    scope: method === "POST" && path.endsWith("/search") ? "read" : "train",
    body: z.looseObject(body),
    responses: { 200: z.object(response) },
  } satisfies Route);
const get = <const Q extends Shape, const R extends Shape>(path: string, summary: string, query: Q, response: R) =>
  route({
    method: "GET",
    path: `${root}${path}` as `/${string}`,
    summary,
    scope: "read",
    query: z.looseObject(query),
    responses: { 200: z.object(response) },
  } satisfies Route);

const pageToken = z.string().optional();
const maxResults = z.coerce.number().int().min(1).max(50_000).optional();
const tags = z.array(Tag).optional();
const name = z.string().min(1).max(500);

export const mlflow = {
  createExperiment: post(
    "/experiments/create",
    "Create an experiment",
    { name, artifact_location: z.string().optional(), tags },
    { experiment_id: z.string() },
  ),
  getExperiment: get("/experiments/get", "One experiment", { experiment_id: id }, { experiment: MlflowExperiment }),
  getExperimentByName: get(
    "/experiments/get-by-name",
    "One experiment, by name",
    { experiment_name: name },
    { experiment: MlflowExperiment },
  ),
  searchExperiments: post(
    "/experiments/search",
    "Experiments",
    {
      filter: z.string().optional(),
      max_results: maxResults,
      page_token: pageToken,
      view_type: z.string().optional(),
      order_by: z.array(z.string()).optional(),
    },
    { experiments: z.array(MlflowExperiment), next_page_token: z.string().optional() },
  ),
  listExperiments: get(
    "/experiments/search",
    "Experiments",
    { max_results: maxResults, page_token: pageToken, filter: z.string().optional(), view_type: z.string().optional() },
    { experiments: z.array(MlflowExperiment), next_page_token: z.string().optional() },
  ),
  deleteExperiment: post("/experiments/delete", "Delete an experiment", { experiment_id: id }, {}),
  createRun: post(
    "/runs/create",
    "Start a run",
    {
      experiment_id: id,
      user_id: z.string().optional(),
      run_name: z.string().optional(),
      start_time: z.coerce.number().optional(),
      tags,
    },
    { run: MlflowRun },
  ),
  updateRun: post(
    "/runs/update",
    "Change a run's status, end or name",
    {
      run_id: id,
      status: z.string().optional(),
      end_time: z.coerce.number().optional(),
      run_name: z.string().optional(),
    },
    { run_info: MlflowRunInfo },
  ),
  getRun: get("/runs/get", "One run", { run_id: id.optional(), run_uuid: id.optional() }, { run: MlflowRun }),
  deleteRun: post("/runs/delete", "Delete a run", { run_id: id }, {}),
  searchRuns: post(
    "/runs/search",
    "Runs of experiments",
    {
      experiment_ids: z.array(z.string()).optional(),
      filter: z.string().optional(),
      run_view_type: z.string().optional(),
      max_results: maxResults,
      order_by: z.array(z.string()).optional(),
      page_token: pageToken,
    },
    { runs: z.array(MlflowRun), next_page_token: z.string().optional() },
  ),
  logMetric: post(
    "/runs/log-metric",
    "Log one metric",
    { run_id: id, key: name, value: MetricValue, timestamp: z.coerce.number(), step: z.coerce.number().optional() },
    {},
  ),
  logParam: post("/runs/log-parameter", "Log one parameter", { run_id: id, key: name, value: z.string() }, {}),
  logBatch: post(
    "/runs/log-batch",
    "Log metrics, parameters and tags",
    {
      run_id: id,
      metrics: z
        .array(
          z.looseObject({
            key: name,
            value: MetricValue,
            timestamp: z.coerce.number(),
            step: z.coerce.number().optional(),
          }),
        )
        .max(1000)
        .optional(),
      params: z.array(Param).max(100).optional(),
      tags: z.array(Tag).max(100).optional(),
    },
    {},
  ),
  setRunTag: post("/runs/set-tag", "Tag a run", { run_id: id, key: name, value: z.string() }, {}),
  metricHistory: get(
    "/metrics/get-history",
    "A metric's values",
    {
      run_id: id.optional(),
      run_uuid: id.optional(),
      metric_key: name,
      max_results: maxResults,
      page_token: pageToken,
    },
    { metrics: z.array(Metric), next_page_token: z.string().optional() },
  ),
  listArtifacts: get(
    "/artifacts/list",
    "A run's artifacts",
    { run_id: id.optional(), run_uuid: id.optional(), path: z.string().optional(), page_token: pageToken },
    {
      root_uri: z.string(),
      files: z.array(z.object({ path: z.string(), is_dir: z.boolean(), file_size: z.number().optional() })),
    },
  ),
  createRegisteredModel: post(
    "/registered-models/create",
    "Register a model",
    { name, description: z.string().optional(), tags },
    { registered_model: MlflowRegisteredModel },
  ),
  getRegisteredModel: get(
    "/registered-models/get",
    "One registered model",
    { name },
    { registered_model: MlflowRegisteredModel },
  ),
  searchRegisteredModels: get(
    "/registered-models/search",
    "Registered models",
    { filter: z.string().optional(), max_results: maxResults, page_token: pageToken },
    { registered_models: z.array(MlflowRegisteredModel), next_page_token: z.string().optional() },
  ),
  createModelVersion: post(
    "/model-versions/create",
    "Register a version",
    {
      name,
      source: z.string(),
      run_id: z.string().optional(),
      description: z.string().optional(),
      tags,
      run_link: z.string().optional(),
    },
    { model_version: MlflowModelVersion },
  ),
  getModelVersion: get(
    "/model-versions/get",
    "One version",
    { name, version: id },
    { model_version: MlflowModelVersion },
  ),
  searchModelVersions: get(
    "/model-versions/search",
    "Versions",
    { filter: z.string().optional(), max_results: maxResults, page_token: pageToken },
    { model_versions: z.array(MlflowModelVersion), next_page_token: z.string().optional() },
  ),
  versionDownloadUri: get(
    "/model-versions/get-download-uri",
    "Where a version's files lie",
    { name, version: id },
    { artifact_uri: z.string() },
  ),
  setVersionTag: post(
    "/model-versions/set-tag",
    "Tag a version",
    { name, version: id, key: name, value: z.string() },
    {},
  ),
  setAlias: post("/registered-models/alias", "Point an alias at a version", { name, alias: name, version: id }, {}),
  getAlias: get(
    "/registered-models/alias",
    "The version an alias points at",
    { name, alias: name },
    { model_version: MlflowModelVersion },
  ),
  deleteAlias: post("/registered-models/alias", "Remove an alias", { name, alias: name }, {}, "DELETE"),
  restoreExperiment: post("/experiments/restore", "Restore a deleted experiment", { experiment_id: id }, {}),
  updateExperiment: post("/experiments/update", "Rename an experiment", { experiment_id: id, new_name: name }, {}),
  setExperimentTag: post(
    "/experiments/set-experiment-tag",
    "Tag an experiment",
    { experiment_id: id, key: name, value: z.string() },
    {},
  ),
  restoreRun: post("/runs/restore", "Restore a deleted run", { run_id: id }, {}),
  deleteRunTag: post("/runs/delete-tag", "Remove a run's tag", { run_id: id, key: name }, {}),
  updateRegisteredModel: post(
    "/registered-models/update",
    "Describe a registered model",
    { name, description: z.string().optional() },
    { registered_model: MlflowRegisteredModel },
    "PATCH",
  ),
  deleteRegisteredModel: post(
    "/registered-models/delete",
    "Delete a registered model and its versions",
    { name },
    {},
    "DELETE",
  ),
  latestVersions: post(
    "/registered-models/get-latest-versions",
    "Newest version",
    { name, stages: z.array(z.string()).optional() },
    { model_versions: z.array(MlflowModelVersion) },
  ),
  setRegisteredModelTag: post(
    "/registered-models/set-tag",
    "Tag a registered model",
    { name, key: name, value: z.string() },
    {},
  ),
  updateModelVersion: post(
    "/model-versions/update",
    "Describe a version",
    { name, version: id, description: z.string().optional() },
    { model_version: MlflowModelVersion },
    "PATCH",
  ),
  deleteModelVersion: post(
    "/model-versions/delete",
    "Delete a version; its number is not used again",
    { name, version: id },
    {},
    "DELETE",
  ),
};
