import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import * as z from "zod";
import { parseConfig } from "./config.ts";
import { defineSlice, whole } from "./slice.ts";

// The block of settings that deployments of this kind of system bring with them.
const usual = {
  SERVICE_NAME: "ml-security",
  SERVICE_VERSION: "1.0.0",
  LOG_LEVEL: "INFO",
  POSTGRES_HOST: "localhost",
  POSTGRES_PORT: "5433",
  POSTGRES_DB: "ml_security",
  POSTGRES_USER: "ml_security",
  POSTGRES_PASSWORD: "not-a-default",
  REDIS_URL: "redis://localhost:6379/0",
  MINIO_ENDPOINT: "localhost:9000",
  MINIO_ACCESS_KEY: "key",
  MINIO_SECRET_KEY: "secret",
  MINIO_BUCKET: "ml-security",
  MLFLOW_TRACKING_URI: "http://localhost:5000",
  MLFLOW_S3_ENDPOINT_URL: "http://localhost:9000",
  MLFLOW_S3_IGNORE_TLS: "true",
  MODEL_API_URL: "http://localhost:8000",
  TRAINING_API_URL: "http://localhost:8002",
  RED_TEAM_API_URL: "http://red-team:8001",
  OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4317",
  HF_ENDPOINT: "https://huggingface.co",
  HF_TOKEN: "",
};

test("the usual settings keep their meaning; our own addresses mean the embedded parts", () => {
  const config = parseConfig(usual);
  expect(config.logLevel).toBe("info");
  expect(config.postgres).toEqual({
    host: "localhost",
    port: 5433,
    database: "ml_security",
    user: "ml_security",
    password: "not-a-default",
  });
  expect(config.storage).toEqual({ endpoint: undefined, bucket: "ml-security", accessKey: "key", secretKey: "secret" });
  expect(config.mlflow).toEqual({ trackingUri: undefined, s3Endpoint: undefined, s3IgnoreTls: true });
  expect(config.addresses).toEqual({ "red-team": "http://red-team:8001" });
  expect(config.hub).toMatchObject({ endpoint: "https://huggingface.co", token: undefined, offline: false });
  expect(config.hub.cacheDir).toBe(path.join(config.dataDir, "hub"));
});

test("defaults: everything embedded, no passwords", () => {
  const config = parseConfig({});
  expect([config.postgres, config.storage.endpoint, config.storage.accessKey, config.redisUrl]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(config.ports).toMatchObject({ "model-api": 8000, mlflow: 5000, "object-storage": 9000 });
  expect([config.host, config.keyless, config.maxTextChars, config.storeText, config.defaultModel]).toEqual([
    "localhost",
    false,
    200_000,
    "none",
    "distilbert",
  ]);
  expect(Object.isFrozen(config)).toBe(true);
});

test("an address of ours follows a moved port", () => {
  const config = parseConfig({
    MLSEC_PORT_MLFLOW: "5050",
    MLFLOW_TRACKING_URI: "http://127.0.0.1:5050",
    MINIO_ENDPOINT: "http://127.0.0.1:5000",
  });
  expect([config.mlflow.trackingUri, config.storage.endpoint]).toEqual([undefined, "http://127.0.0.1:5000"]);
});

test.each([
  [{ LOG_LEVEL: "loud" }, 'LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, got "loud"'],
  [
    { MLSEC_PORT_TRAINING: "80000" },
    'MLSEC_PORT_TRAINING: expected a port, 0 to 65535 (0 means any free one), got "80000"',
  ],
  [{ MINIO_ENDPOINT: "ftp://x" }, 'MINIO_ENDPOINT: expected an address such as http://host:port, got "ftp://x"'],
  [{ MLSEC_STORE_TEXT: "some" }, 'MLSEC_STORE_TEXT: expected none, flagged or all, got "some"'],
  [{ MLSEC_KEYLESS: "maybe" }, 'MLSEC_KEYLESS: expected 1 or 0, got "maybe"'],
  [{ MLSEC_MAX_TEXT_CHARS: "-1" }, 'MLSEC_MAX_TEXT_CHARS: expected a whole number, 1 to 10000000, got "-1"'],
  [{ HF_TOKEN_FILE: "/nowhere/token" }, "HF_TOKEN_FILE: expected a readable file, got /nowhere/token (ENOENT)"],
])("a wrong value is one line that names it: %o", (environment, line) => {
  expect(() => parseConfig(environment)).toThrow(line);
});

test("secrets may lie in files, and never show in a message", () => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-secret-")), "password");
  fs.writeFileSync(file, "from the file\n");
  expect(parseConfig({ POSTGRES_HOST: "db", POSTGRES_PASSWORD_FILE: file }).postgres?.password).toBe("from the file");
  expect(() => parseConfig({ POSTGRES_PASSWORD: "x", POSTGRES_PASSWORD_FILE: file })).toThrow("got both");
  const {
    hub: { endpoint, token },
  } = parseConfig({ HF_TOKEN: "hunter2" });
  const hub = { endpoint, token };
  expect([JSON.stringify(hub), String(token), inspect(hub), token?.reveal()]).toEqual([
    '{"endpoint":"https://huggingface.co","token":"[redacted]"}',
    "[redacted]",
    expect.not.stringContaining("hunter2"),
    "hunter2",
  ]);
  expect(() => parseConfig({ REDIS_URL: "hunter2" })).toThrow(/^REDIS_URL: (?!.*hunter2)/);
});

test("a service reads its own slice", () => {
  const slice = defineSlice({
    MLSEC_BATCH: whole(1, 64).default(32).describe("Texts per run."),
    MLSEC_NOTE: z.string().optional().describe("A note."),
  });
  expect(parseConfig({ MLSEC_BATCH: " 8 ", MLSEC_NOTE: " " }).read(slice)).toEqual({
    MLSEC_BATCH: 8,
    MLSEC_NOTE: undefined,
  });
  expect(() => parseConfig({ MLSEC_BATCH: "65" }).read(slice)).toThrow(
    'MLSEC_BATCH: expected a whole number, 1 to 64, got "65"',
  );
});
