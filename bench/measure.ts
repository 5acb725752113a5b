/** What every bench of the running system shares: the machine's line, a system of its own, percentiles, memory. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { cpus, release, tmpdir, totalmem, type } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** Instructions that decide what a product costs, under short names. */
const instructions: Readonly<Record<string, RegExp>> = {
  avx2: /\bavx2\b/,
  "avx-vnni": /\bavx_vnni\b/,
  avx512: /\bavx512f\b/,
  "avx512-vnni": /\bavx512_vnni\b/,
  "avx512-bf16": /\bavx512_bf16\b/,
  "amx-bf16": /\bamx_bf16\b/,
  "amx-int8": /\bamx_int8\b/,
};

/** What this processor has of them; empty where the system does not say. */
export function processorFlags(): string[] {
  const flags = /^flags\s*:(.*)$/m.exec(readOr("/proc/cpuinfo"))?.[1] ?? "";
  return Object.keys(instructions).filter((name) => instructions[name]?.test(flags));
}

/** Processor, memory, versions of ours and of peers, and the command, as every bench prints them first. */
export function machine(command: string, peers: Readonly<Record<string, string>> = {}): string {
  const [cpu] = cpus();
  const memory = (totalmem() / 1024 ** 3).toFixed(0);
  const versions = { ...ourVersions(), ...peers };
  return [
    `${cpu?.model ?? "unknown processor"}, ${cpus().length} cores, ${memory} GB, ${type()} ${release()}`,
    `instructions: ${processorFlags().join(" ") || "unknown"}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
    command,
  ].join("\n");
}

function ourVersions(): Record<string, string> {
  const version = (folder: string): string =>
    JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")).version;
  const commit = spawnSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" });
  const dirty = spawnSync("git", ["status", "--porcelain", "packages", "apps"], { cwd: root, encoding: "utf8" });
  return {
    mlsec: `${version(".")} (${commit.stdout?.trim() || "no commit"}${dirty.stdout?.trim() ? ", changed" : ""})`,
    node: process.version,
    "onnxruntime-node": version("node_modules/onnxruntime-node"),
  };
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/**
 * Runs the sides one after another, round by round (A B A B …): a machine drifts, and both sides drift with it.
 * Each side returns its figure of a round.
 */
export async function alternate(
  rounds: number,
  sides: Readonly<Record<string, () => Promise<number>>>,
): Promise<Record<string, number[]>> {
  const figures: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of Object.entries(sides)) (figures[name] ??= []).push(await measure());
  }
  return figures;
}

/** Median over the rounds of `over[i] / under[i]`; null when either side is missing. */
export function pairedRatio(over: readonly number[] | undefined, under: readonly number[] | undefined): number | null {
  if (over === undefined || under === undefined || over.length === 0) return null;
  return median(over.map((value, i) => value / (under[i] ?? Number.NaN)));
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** A system in a process of its own, on ports from `firstPort` on. */
export interface BenchSystem {
  readonly readyMs: number;
  readonly pid: number;
  url(service: string): string;
  stop(): Promise<void>;
}
const offsets = [
  "model-api",
  "red-team",
  "training",
  "analytics",
  "business-metrics",
  "data-privacy",
  "model-cache",
  "model-serving",
  "mlflow",
  "monitoring",
  "object-storage",
];

export const emptyFolder = (): string => mkdtempSync(join(tmpdir(), "mlsec-bench-"));
export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** Starts `npm start`'s script and waits for its table; `readyMs` counts from the start of the process. */
export async function startSystem(
  dataDir: string,
  settings: { readonly firstPort?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<BenchSystem> {
  const { firstPort = 18_000 } = settings;
  const ports = Object.fromEntries(
    offsets.map((name, i) => [`MLSEC_PORT_${name.toUpperCase().replaceAll("-", "_")}`, String(firstPort + i)]),
  );
  const began = performance.now();
  const env = { ...process.env, ...ports, MLSEC_DATA_DIR: dataDir, LOG_LEVEL: "error", ...settings.env };
  const child = spawn(process.execPath, ["scripts/up.mjs", "start"], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await printed(child, `:${firstPort + offsets.indexOf("monitoring")}`);
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  return {
    readyMs: performance.now() - began,
    pid: child.pid ?? 0,
    url: (service) => `http://127.0.0.1:${firstPort + offsets.indexOf(service)}`,
    async stop() {
      child.kill("SIGINT");
      await exited;
    },
  };
}

function printed(child: ChildProcess, text: string): Promise<void> {
  return new Promise((done, fail) => {
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes(text)) done();
    });
    child.once("exit", (code) => fail(new Error(`the system ended with ${code}:\n${output}`)));
  });
}

/** Proportional set size of a process and all below it, in bytes; shared pages count once. */
export function memoryOfTree(pid: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readOr(`/proc/${name}/stat`);
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const below = (p: number): boolean =>
    p === pid || (parents.has(p) && parents.get(p) !== p && below(parents.get(p) ?? 0));
  const kilobytes = [...parents.keys()]
    .filter(below)
    .map((p) => Number(/^Pss:\s+(\d+)/m.exec(readOr(`/proc/${p}/smaps_rollup`))?.[1] ?? 0));
  return kilobytes.reduce((sum, kb) => sum + kb, 0) * 1024;
}

/** Largest resident set size that a process ever had, in bytes; shared libraries count in full. */
export function peakMemory(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readOr(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

function readOr(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Latencies in milliseconds of one client that asks one text after another, every text new. */
export async function verdictLatencies(url: string, texts: Iterable<string>, model = "distilbert"): Promise<number[]> {
  const latencies: number[] = [];
  for (const text of texts) {
    const began = performance.now();
    const response = await fetch(`${url}/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text, model_name: model }),
    });
    if (!response.ok) throw new Error(`/predict answered ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
    latencies.push(performance.now() - began);
  }
  return latencies;
}

const words =
  "please could you book a table for seven people near the old station on friday evening and tell my sister about it today thanks".split(
    " ",
  );
/** Distinct texts of 24 tokens with the two specials: 22 words, one of them a number. */
export function* shortTexts(count: number, from = 0): Iterable<string> {
  for (let i = from; i < from + count; i++)
    yield [
      ...words.slice(0, 21).map((_, k) => words[(k * 7 + i) % words.length] ?? ""),
      String(1000 + (i % 9000)),
    ].join(" ");
}
