// One service per process on one PostgreSQL: they find each other by address and answer as they do in one process.
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { ensureDatabase } from "../apps/server/src/platform/db/embedded.ts";

const main = path.resolve(import.meta.dirname, "../apps/server/src/main.ts");
const names = ["analytics", "data-privacy", "mlflow"] as const;
const addressSetting = {
  analytics: "ANALYTICS_API_URL",
  "data-privacy": "DATA_PRIVACY_API_URL",
  mlflow: "MLFLOW_TRACKING_URI",
};
const ports: Record<string, number> = {};
const children: ChildProcess[] = [];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-processes-"));

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  const { host, port, user, database } = await ensureDatabase(
    inject("postgres"),
    `test_${crypto.randomUUID().replaceAll("-", "")}`,
  );
  for (const name of names) ports[name] = await freePort();
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const others = Object.fromEntries(names.map((name) => [addressSetting[name], `http://127.0.0.1:${ports[name]}`]));
  // An empty database and all at once: one migrates, the others wait for it.
  await Promise.all(
    names.map(async (name) => {
      const child = spawn(process.execPath, [main, name], {
        env: {
          PATH: process.env["PATH"],
          LOG_LEVEL: "error",
          MLSEC_DATA_DIR: path.join(folder, name),
          POSTGRES_HOST: host,
          POSTGRES_PORT: String(port),
          POSTGRES_USER: user,
          POSTGRES_DB: database,
          ...others,
          // Nobody is there: on its standard port another system of this machine might be.
          MODEL_API_URL: nobody,
          [`MLSEC_PORT_${name.toUpperCase().replaceAll("-", "_")}`]: String(ports[name]),
        },
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(child);
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
      while (!output.includes("Ctrl-C stops it.")) {
        if (child.exitCode !== null) throw new Error(`${name} did not start`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }),
  );
});
afterAll(async () => {
  const ends = children.map((child) => new Promise((resolve) => child.once("exit", resolve)));
  for (const child of children) child.kill("SIGTERM");
  await Promise.all(ends);
  fs.rmSync(folder, { recursive: true, force: true });
});

test("each is ready on its own", async () => {
  for (const name of names) expect((await fetch(`http://127.0.0.1:${ports[name]}/ready`)).status).toBe(200);
});

test("one sees another through its address", async () => {
  const health = (await (await fetch(`http://127.0.0.1:${ports["analytics"]}/system/health`)).json()) as {
    services: { name: string; status: string }[];
  };
  const status = Object.fromEntries(health.services.map((service) => [service.name, service.status]));
  expect(status["data-privacy"]).toBe(status["analytics"]);
  expect(status["mlflow"]).toBe(status["analytics"]);
  expect(status["model-api"]).not.toBe(status["analytics"]);
});
