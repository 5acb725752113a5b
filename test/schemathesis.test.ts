// A fuzzer that knows nothing of this project reads each service's OpenAPI document and tries to break what it describes.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { type ServiceName, serviceNames } from "@mlsec/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../apps/server/src/testing/system.ts";
import { makeToyModels } from "../apps/server/src/testing/toy-models.ts";
import { removeFolder } from "./running-system.ts";

const hasSchemathesis = spawnSync("schemathesis", ["--version"]).status === 0;
const whyNot = hasSchemathesis ? "" : " (skipped: schemathesis is not on this machine)";
const folder = mkdtempSync(path.join(os.tmpdir(), "mlsec-schemathesis-"));
let system: TestSystem;
let models: string;

beforeAll(async () => {
  if (!hasSchemathesis) return;
  // 503 is an answer: weights that are not on this machine.
  writeFileSync(
    path.join(folder, "config.toml"),
    '[checks]\nnot_a_server_error.expected-statuses = ["2xx", "4xx", "503"]\n',
  );
  models = await makeToyModels(["distilbert", "linear"]);
  system = await startTestSystem({ environment: { MLSEC_SHIPPED_MODELS: models } });
});
afterAll(async () => {
  await system?.stop();
  for (const place of [folder, ...(models ? [models] : [])]) removeFolder(place);
});

const described = serviceNames.filter((name) => name !== "object-storage");
test.skipIf(!hasSchemathesis).each(described)(`%s${whyNot}`, async (name: ServiceName) => {
  const checks = "not_a_server_error,response_schema_conformance,content_type_conformance";
  const what = [
    "--max-examples=12",
    `--checks=${checks}`,
    "--phases=fuzzing",
    "--exclude-path-regex=/metrics|/live|/events",
    "--seed=1",
    "--no-color",
  ];
  // The services answer from this process, so it must not be blocked.
  const target = `${system.url(name)}/openapi.json`;
  const child = spawn("schemathesis", ["--config-file", path.join(folder, "config.toml"), "run", target, ...what], {
    cwd: folder,
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const stdout = await text(child.stdout);
  expect(stdout, stdout).toContain("SUMMARY");
  expect(await ended, stdout).toBe(0);
});
