// The real MLflow client of Python against this server, where python3 has it.
import { spawn, spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";

const python = process.env["MLSEC_TEST_PYTHON"] ?? "python3";
const hasMlflow = spawnSync(python, ["-c", "import mlflow"]).status === 0;
const script = `
import mlflow, os, sys, tempfile
from mlflow.tracking import MlflowClient
from mlflow.exceptions import RestException
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("security_wire_experiments")
with mlflow.start_run(run_name="wire") as run:
    mlflow.log_params({"lr": 0.1, "epochs": 3})
    for step in range(3):
        mlflow.log_metric("f1", 0.5 + step / 10, step=step)
    mlflow.set_tag("team", "red")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "note.txt")
        open(path, "w").write("hello")
        mlflow.log_artifact(path, "notes")
client = MlflowClient()
run_id = run.info.run_id
read = client.get_run(run_id)
assert read.info.status == "FINISHED", read.info
assert read.data.params == {"lr": "0.1", "epochs": "3"}, read.data.params
assert abs(read.data.metrics["f1"] - 0.7) < 1e-9
assert [m.value for m in client.get_metric_history(run_id, "f1")] == [0.5, 0.6, 0.7]
found = client.search_runs([run.info.experiment_id], "metrics.f1 > 0.6 and tags.team = 'red' and attributes.status = 'FINISHED'")
assert [r.info.run_id for r in found] == [run_id]
assert [a.path for a in client.list_artifacts(run_id)] == ["notes"]
assert open(client.download_artifacts(run_id, "notes/note.txt")).read() == "hello"
client.create_registered_model("security_wire")
try:
    client.create_registered_model("security_wire")
    raise AssertionError("made twice")
except RestException as error:
    assert error.error_code == "RESOURCE_ALREADY_EXISTS", error.error_code
for _ in range(2):
    client.create_model_version("security_wire", f"runs:/{run_id}/notes", run_id)
client.set_registered_model_alias("security_wire", "champion", "2")
assert client.get_model_version_by_alias("security_wire", "champion").version in ("2", 2)
assert sorted(int(v.version) for v in client.search_model_versions("name='security_wire'")) == [1, 2]
client.update_model_version("security_wire", "1", description="first")
client.set_model_version_tag("security_wire", "1", "k", "v")
assert client.get_model_version("security_wire", "1").tags == {"k": "v"}
client.delete_registered_model_alias("security_wire", "champion")
assert [m.name for m in client.search_registered_models()] == ["security_wire"]
try:
    client.get_registered_model("nobody")
    raise AssertionError("found nobody")
except RestException as error:
    assert error.error_code == "RESOURCE_DOES_NOT_EXIST", error.error_code
client.delete_run(run_id)
client.delete_registered_model("security_wire")
print("ok")
`;

let system: TestSystem | undefined;
beforeAll(async () => {
  if (hasMlflow) system = await startTestSystem({ services: ["mlflow"] });
});
afterAll(() => system?.stop());

test.skipIf(!hasMlflow)(`MLflow's own client${hasMlflow ? "" : " (skipped: python3 has no mlflow)"}`, async () => {
  const url = system?.url("mlflow") ?? "";
  const run = Promise.withResolvers<string>();
  const child = spawn(python, ["-c", script, url], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.once("exit", () => run.resolve(out));
  expect(await run.promise).toMatch(/ok\s*$/);
});
