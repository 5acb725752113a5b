// kill -9 of the whole system in the middle of a job: the next start goes on from the checkpoint, to the same curve.
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createClient, type Job, serviceNames, training } from "@mlsec/contracts";
import { afterAll, expect, test } from "vitest";
import { portName } from "../../platform/config/config.ts";
import { toJsonl, toyRows, toySettings } from "./testing.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-resume-"));
const main = path.resolve(import.meta.dirname, "../../main.ts");
let system: ChildProcess | undefined;
afterAll(async () => {
  await end("SIGTERM");
  fs.rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(environment: Record<string, string>): Promise<void> {
  const child = spawn(process.execPath, [main, "training", "mlflow"], {
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  system = child;
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`the system ended with ${code}`)));
  });
}

async function end(signal: NodeJS.Signals): Promise<void> {
  const child = system;
  system = undefined;
  if (!child || child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

test("a killed system resumes its job to the same curve", async () => {
  const port = await freePort();
  const environment = {
    ...(await toySettings(folder)),
    LOG_LEVEL: "error",
    MLSEC_DATA_DIR: path.join(folder, "data"),
    ...Object.fromEntries(serviceNames.map((name) => [portName(name), "0"])),
    [portName("training")]: String(port),
  };
  fs.writeFileSync(path.join(folder, "first.jsonl"), toJsonl(toyRows(1500)));
  const api = createClient(training, `http://127.0.0.1:${port}`);
  const until = async (id: string, holds: (job: Job) => boolean): Promise<Job> => {
    for (;;) {
      const job = await api.getJob({ params: { id } });
      if (holds(job) || job.status === "failed") return job;
      await delay(50);
    }
  };
  const train = async (): Promise<string> => {
    const config = { epochs: 20, learning_rate: 0.002, batch_size: 4, seed: 7 };
    return (await api.train({ body: { model_name: "distilbert", config, promote: "never" } })).job_id;
  };
  await start(environment);
  const killed = await train();
  const before = await until(killed, (job) => job.step >= 60);
  expect(before.status).toBe("running");
  await end("SIGKILL");
  await start(environment);
  const after = await until(killed, (job) => job.status === "completed");
  expect(after).toMatchObject({ status: "completed", attempts: 2, error: null });
  const { logs } = await api.jobLogs({ params: { id: killed } });
  expect(logs.some(({ message }) => message.startsWith("start 2: goes on from the last checkpoint"))).toBe(true);
  const undisturbed = await until(await train(), (job) => job.status === "completed");
  expect(undisturbed.attempts).toBe(1);
  expect(after.total_steps).toBeGreaterThan(before.step);
  expect(after.losses).toEqual(undisturbed.losses);
  expect(after.result?.metrics["suite_f1_score"]).toBe(undisturbed.result?.metrics["suite_f1_score"]);
}, 300_000);
