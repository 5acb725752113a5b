import { AppError } from "@mlsec/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem({ services: ["mlflow"] });
});
afterAll(() => system.stop());
const api = () => system.clients.mlflow;

test("a run keeps params, metrics with history, and tags", async () => {
  const { experiment_id } = await api().createExperiment({
    body: { name: "runs", tags: [{ key: "team", value: "red" }] },
  });
  const { run } = await api().createRun({ body: { experiment_id, run_name: "first", start_time: 5 } });
  const run_id = run.info.run_id;
  await api().logParam({ body: { run_id, key: "lr", value: "0.1" } });
  await api().logBatch({
    body: {
      run_id,
      params: [{ key: "epochs", value: "3" }],
      metrics: [
        { key: "f1", value: 0.4, timestamp: 1, step: 1 },
        { key: "f1", value: 0.9, timestamp: 2, step: 2 },
        { key: "loss", value: "NaN", timestamp: 2, step: 2 },
      ],
      tags: [{ key: "note", value: "x" }],
    },
  });
  await api().updateRun({ body: { run_id, status: "FINISHED", end_time: 9 } });
  const { run: read } = await api().getRun({ query: { run_id } });
  expect(read.info).toMatchObject({ status: "FINISHED", start_time: 5, end_time: 9, run_name: "first" });
  expect(read.data.params).toEqual(
    expect.arrayContaining([
      { key: "lr", value: "0.1" },
      { key: "epochs", value: "3" },
    ]),
  );
  expect(read.data.metrics.find((m) => m.key === "f1")).toEqual({ key: "f1", value: 0.9, timestamp: 2, step: 2 });
  expect(read.data.metrics.find((m) => m.key === "loss")?.value).toBe("NaN");
  const page = await api().metricHistory({ query: { run_id, metric_key: "f1", max_results: 1 } });
  expect(page.metrics.map((m) => m.value)).toEqual([0.4]);
  const rest = await api().metricHistory({ query: { run_id, metric_key: "f1", page_token: page.next_page_token } });
  expect(rest).toEqual({ metrics: [expect.objectContaining({ value: 0.9 })] });
  await expect(api().logParam({ body: { run_id, key: "lr", value: "0.2" } })).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
  await api().logParam({ body: { run_id, key: "lr", value: "0.1" } });
});

test("runs are found by attributes, metrics, params and tags, and ordered", async () => {
  const { experiment_id } = await api().createExperiment({ body: { name: "search" } });
  for (const [i, f1] of [0.2, 0.8, 0.6].entries()) {
    const { run } = await api().createRun({ body: { experiment_id, run_name: `r${i}`, start_time: i } });
    await api().logBatch({
      body: {
        run_id: run.info.run_id,
        metrics: [{ key: "f1", value: f1, timestamp: 1 }],
        params: [{ key: "size", value: i === 0 ? "small" : "big" }],
      },
    });
    if (i < 2) await api().updateRun({ body: { run_id: run.info.run_id, status: "FINISHED" } });
  }
  const find = async (filter: string, order_by?: string[]) =>
    (
      await api().searchRuns({ body: { experiment_ids: [experiment_id], filter, ...(order_by ? { order_by } : {}) } })
    ).runs.map((r) => r.info.run_name);
  expect(await find("metrics.f1 > 0.5", ["metrics.f1 DESC"])).toEqual(["r1", "r2"]);
  expect(await find("attributes.status = 'FINISHED' and params.size = 'big'")).toEqual(["r1"]);
  expect(await find("tags.mlflow.runName LIKE 'r%'", ["attributes.start_time ASC"])).toEqual(["r0", "r1", "r2"]);
  expect(await find("params.absent IS NULL")).toHaveLength(3);
  await expect(find("attributes.colour = 'red'")).rejects.toMatchObject({ code: "INVALID_INPUT" });
  const first = await api().searchRuns({ body: { experiment_ids: [experiment_id], max_results: 2 } });
  const second = await api().searchRuns({
    body: { experiment_ids: [experiment_id], max_results: 2, page_token: first.next_page_token },
  });
  expect([...first.runs, ...second.runs].map((r) => r.info.run_name)).toEqual(["r2", "r1", "r0"]);
  expect(second.next_page_token).toBeUndefined();
});

test("versions count up, aliases move, deleted numbers are not used again", async () => {
  await api().createRegisteredModel({ body: { name: "security_toy", description: "a toy" } });
  for (const source of ["s3://b/1", "s3://b/2"])
    await api().createModelVersion({ body: { name: "security_toy", source, run_id: "r" } });
  await api().setAlias({ body: { name: "security_toy", alias: "champion", version: "2" } });
  await api().setAlias({ body: { name: "security_toy", alias: "champion", version: "1" } });
  const { model_version } = await api().getAlias({ query: { name: "security_toy", alias: "champion" } });
  expect(model_version).toMatchObject({ version: "1", source: "s3://b/1", aliases: ["champion"] });
  const { registered_model } = await api().getRegisteredModel({ query: { name: "security_toy" } });
  expect(registered_model.latest_versions.map((v) => v.version)).toEqual(["2"]);
  expect(registered_model.aliases).toEqual([{ alias: "champion", version: "1" }]);
  await api().deleteModelVersion({ body: { name: "security_toy", version: "2" } });
  const third = await api().createModelVersion({ body: { name: "security_toy", source: "s3://b/3" } });
  expect(third.model_version.version).toBe("3");
  const { model_versions } = await api().searchModelVersions({ query: { filter: "name='security_toy'" } });
  expect(model_versions.map((v) => v.version)).toEqual(["3", "1"]);
  await api().deleteAlias({ body: { name: "security_toy", alias: "champion" } });
  await expect(api().getAlias({ query: { name: "security_toy", alias: "champion" } })).rejects.toBeInstanceOf(AppError);
});

test("errors are problem documents that MLflow's client understands too", async () => {
  const response = await fetch(`${system.url("mlflow")}/api/2.0/mlflow/registered-models/get?name=nobody`);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({
    code: "NOT_FOUND",
    status: 404,
    error_code: "RESOURCE_DOES_NOT_EXIST",
    message: expect.stringContaining("nobody"),
  });
  await api().createExperiment({ body: { name: "twice" } });
  const again = await fetch(`${system.url("mlflow")}/api/2.0/mlflow/experiments/create`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "twice" }),
  });
  expect(await again.json()).toMatchObject({ error_code: "RESOURCE_ALREADY_EXISTS" });
});

test("artifacts through the proxy, listed by run, and never outside their root", async () => {
  const { run } = await api().createRun({ body: { experiment_id: "0" } });
  const root = run.info.artifact_uri.replace("mlflow-artifacts:/", "");
  const base = `${system.url("mlflow")}/api/2.0/mlflow-artifacts/artifacts`;
  await fetch(`${base}/${root}/model/weights.bin`, { method: "PUT", body: "abc" });
  const { files } = await api().listArtifacts({ query: { run_id: run.info.run_id } });
  expect(files).toEqual([{ path: "model", is_dir: true }]);
  const inner = await api().listArtifacts({ query: { run_id: run.info.run_id, path: "model" } });
  expect(inner.files).toEqual([{ path: "model/weights.bin", is_dir: false, file_size: 3 }]);
  expect(await (await fetch(`${base}/${root}/model/weights.bin`)).text()).toBe("abc");
  expect((await fetch(`${base}/..%2f..%2fsecret`)).status).toBe(400);
  await expect(api().listArtifacts({ query: { run_id: run.info.run_id, path: "../x" } })).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
});
