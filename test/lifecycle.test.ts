// Starting and stopping, as processes: what is said, what survives a kill, and who is kept off whose data.
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";

const root = path.resolve(import.meta.dirname, "..");
// Each start makes a database: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 });
const children: ChildProcess[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once("exit", resolve));
  }
  for (const folder of folders.splice(0)) {
    // The database outlives its killed system for a moment.
    while (fs.existsSync(path.join(folder, "postgres/data/postmaster.pid")))
      await new Promise((resolve) => setTimeout(resolve, 20));
    const socket = path.join(folder, "postgres/socket.location");
    if (fs.existsSync(socket)) fs.rmSync(fs.readFileSync(socket, "utf8"), { recursive: true, force: true });
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
});

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function newFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-life-"));
  folders.push(folder);
  return folder;
}

/** Two services that need no model, on free ports. */
function start(
  dataDir: string,
  environment: Record<string, string> = {},
  names = ["data-privacy", "analytics"],
): Started {
  const child = spawn(process.execPath, [path.join(root, "apps/server/src/main.ts"), ...names], {
    env: {
      PATH: process.env["PATH"],
      MLSEC_DATA_DIR: dataDir,
      LOG_LEVEL: "error",
      MLSEC_PORT_DATA_PRIVACY: "0",
      MLSEC_PORT_ANALYTICS: "0",
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, output: () => output, ended };
}

async function untilUp({ output, ended }: Started): Promise<string> {
  let over = false;
  void ended.then(() => (over = true));
  await expect.poll(() => over || output().includes("Ctrl-C stops it."), { timeout: 40_000 }).toBe(true);
  const address = /Data Privacy +(http:\S+)/.exec(output())?.[1];
  if (address === undefined) throw new Error(`it did not start:\n${output()}`);
  return address;
}

const ready = async (address: string): Promise<number> => (await fetch(`${address}/ready`)).status;
const postmaster = (dataDir: string): number =>
  Number.parseInt(fs.readFileSync(path.join(dataDir, "postgres/data/postmaster.pid"), "utf8"), 10);
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test("a start says where everything is; Ctrl-C ends it with 0 and leaves nothing running", async () => {
  const dataDir = newFolder();
  const system = start(dataDir);
  const address = await untilUp(system);
  expect(system.output()).toMatch(/Analytics +http:\/\/localhost:\d+/);
  expect(system.output()).toMatch(/Database +\S+ +embedded; a server of your own: POSTGRES_HOST/);
  expect(await ready(address)).toBe(200);
  expect(fs.existsSync(path.join(dataDir, "objects/ml-security"))).toBe(true);
  const database = postmaster(dataDir);
  system.child.kill("SIGINT");
  expect(await system.ended).toBe(0);
  expect(isAlive(database)).toBe(false);
});

test("a second start on the same data says who runs and where, and touches nothing", async () => {
  const dataDir = newFolder();
  const first = start(dataDir);
  const address = await untilUp(first);
  const second = start(dataDir);
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain(`process ${first.child.pid}; it answers at http://localhost:`);
  expect(second.output().trim().split("\n")).toHaveLength(1);
  expect(await ready(address)).toBe(200);
});

test("kill -9 takes the database along, and the next start has every row", async () => {
  const dataDir = newFolder();
  const first = start(dataDir);
  await untilUp(first);
  const analytics = /Analytics +(http:\S+)/.exec(first.output())?.[1] ?? "";
  const result = { test_id: "t1", model_name: "m", total_attacks: 2, vulnerabilities_found: 1, detection_rate: 0.5 };
  const stored = await fetch(`${analytics}/red-team/results`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(result),
  });
  expect(stored.status).toBeLessThan(300);
  const database = postmaster(dataDir);
  first.child.kill("SIGKILL");
  await first.ended;
  const second = start(dataDir);
  await untilUp(second);
  expect(isAlive(database)).toBe(false);
  const again = /Analytics +(http:\S+)/.exec(second.output())?.[1] ?? "";
  expect(await (await fetch(`${again}/red-team/summary`)).json()).toMatchObject({ total_tests: 1 });
});

test("a database that is killed comes back by itself", async () => {
  const dataDir = newFolder();
  const system = start(dataDir);
  await untilUp(system);
  const analytics = /Analytics +(http:\S+)/.exec(system.output())?.[1] ?? "";
  const before = postmaster(dataDir);
  process.kill(before, "SIGKILL");
  await expect
    .poll(() => fs.existsSync(path.join(dataDir, "postgres/data/postmaster.pid")) && postmaster(dataDir) !== before, {
      timeout: 20_000,
    })
    .toBe(true);
  await expect.poll(async () => (await fetch(`${analytics}/red-team/summary`)).status, { timeout: 20_000 }).toBe(200);
  expect(system.child.exitCode).toBeNull();
});

test("a start that was killed while it made the database is followed by one that works", async () => {
  const dataDir = newFolder();
  const first = start(dataDir);
  await expect
    .poll(
      () =>
        fs.existsSync(path.join(dataDir, "postgres")) &&
        fs.readdirSync(path.join(dataDir, "postgres")).some((name) => name.startsWith("new-")),
      { timeout: 20_000, interval: 5 },
    )
    .toBe(true);
  first.child.kill("SIGKILL");
  await first.ended;
  expect(await ready(await untilUp(start(dataDir)))).toBe(200);
});

test("a taken port takes that service's port only, and the table says how to move it", async () => {
  const squatter = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => squatter.once("listening", resolve));
  const { port } = squatter.address() as net.AddressInfo;
  const system = start(newFolder(), { MLSEC_PORT_ANALYTICS: String(port) });
  expect(await ready(await untilUp(system))).toBe(200);
  expect(system.output()).toMatch(
    new RegExp(`Analytics +off +port ${port} is taken; MLSEC_PORT_ANALYTICS=\\d+ moves it`),
  );
  squatter.close();
});

test.each([
  [{ MLSEC_PORT_TRAINING: "many" }, /^MLSEC_PORT_TRAINING: expected a port.* got "many"\n$/],
  [{ MLSEC_HOST: "0.0.0.0" }, /^MLSEC_HOST: 0\.0\.0\.0 would open the system.*MLSEC_KEYLESS=1.*\n$/],
  [{ POSTGRES_HOST: "127.0.0.1", POSTGRES_PORT: "1" }, /^POSTGRES_HOST: no database at 127\.0\.0\.1:1 .*\n$/],
  [{ MINIO_ENDPOINT: "s3.example:9000" }, /^MINIO_ENDPOINT: .*\n$/],
])("a setting that cannot be followed stops the start with one line: %o", async (environment, line) => {
  const system = start(newFolder(), environment);
  expect(await system.ended).toBe(1);
  expect(system.output()).toMatch(line);
});

test("a service that does not exist is named with those that do", async () => {
  const system = start(newFolder(), {}, ["trainign"]);
  expect(await system.ended).toBe(1);
  expect(system.output()).toMatch(/^there is no service "trainign"; there are model-api, /);
});
