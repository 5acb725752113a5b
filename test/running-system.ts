// The system as a user starts it: `npm start`'s script in a process of its own, on the default ports, in an empty data folder.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { serviceNames, services } from "@mlsec/contracts";

export const root = path.resolve(import.meta.dirname, "..");

export interface RunningSystem {
  readonly dataDir: string;
  /** What it has printed so far. */
  output(): string;
  /** As Ctrl-C does; resolves to the exit code. */
  interrupt(): Promise<number | null>;
  /** kill −9 of the starter and of the system. */
  kill(): Promise<void>;
}

/** Ports of the system that something else holds already. */
export async function takenPorts(): Promise<number[]> {
  const ports = serviceNames.map((name) => services[name].port);
  const answers = await Promise.all(
    ports.map((port) =>
      fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => false,
      ),
    ),
  );
  return ports.filter((_, i) => answers[i]);
}

/** Starts and waits for the table of addresses. Without `dataDir` it makes an empty one. */
export async function startRunning(
  dataDir = mkdtempSync(path.join(os.tmpdir(), "mlsec-run-")),
): Promise<RunningSystem> {
  const child = spawn(process.execPath, ["scripts/up.mjs", "start"], {
    cwd: root,
    env: { ...process.env, MLSEC_DATA_DIR: dataDir, LOG_LEVEL: "warn" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  await untilReady(child, () => output, exited);
  return {
    dataDir,
    output: () => output,
    interrupt() {
      child.kill("SIGINT");
      return exited;
    },
    async kill() {
      const pids = [...childrenOf(child.pid ?? 0), child.pid ?? 0];
      for (const pid of pids) signal(pid, "SIGKILL");
      await exited;
      // The system itself is the starter's child: its end takes a moment longer, and until then it holds its ports.
      while (pids.some((pid) => signal(pid, 0))) await new Promise((resolve) => setTimeout(resolve, 20));
    },
  };
}

/** False when there is no such process any more. */
function signal(pid: number, name: "SIGKILL" | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

async function untilReady(child: ChildProcess, output: () => string, exited: Promise<number | null>): Promise<void> {
  let ended = false;
  void exited.then(() => (ended = true));
  const deadline = Date.now() + 90_000;
  while (!/http:\/\/localhost:8501/.test(output())) {
    if (ended || Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`the system did not start:\n${output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The process that the starter runs the system in. */
function childrenOf(pid: number): number[] {
  return spawnSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" })
    .stdout.split("\n")
    .map(Number)
    .filter(Boolean);
}
