/**
 * Finds what ours is measured against and runs it in a process of its own that stays open, so that a bench can take
 * turns with it. A peer that is not there is undefined, after one plain line. Python: MLSEC_BENCH_PYTHON or `python3`;
 * transformers.js: the folder MLSEC_BENCH_PEERS, else npm installs it into the data folder's `bench`.
 */
import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

const root = resolve(import.meta.dirname, "..");
const programs = join(import.meta.dirname, "peers");
const transformersJs = { name: "@huggingface/transformers", version: "4.3.1" };

/** A program that answers one JSON line with another. */
export interface Peer {
  readonly versions: Readonly<Record<string, string>>;
  readonly pid: number;
  /** Calls one of the program's functions. @throws Error with the program's own message. */
  ask<Answer>(call: string, details?: Readonly<Record<string, unknown>>): Promise<Answer>;
  stop(): Promise<void>;
}

/** A program of `bench/peers/*.py`. */
export function startPython(program: string): Promise<Peer | undefined> {
  const python = process.env["MLSEC_BENCH_PYTHON"] ?? "python3";
  const hint = "set MLSEC_BENCH_PYTHON to a Python with torch and transformers";
  return start([python, join(programs, `${program}.py`)], { what: `Python (${program})`, hint });
}

/** transformers.js, in a Node process. */
export async function startTransformersJs(): Promise<Peer | undefined> {
  const folder = transformersJsFolder();
  const hint = `set MLSEC_BENCH_PEERS to a folder with node_modules/${transformersJs.name}`;
  if (folder === undefined) {
    console.log(`transformers.js is not here and npm could not install it: ${hint}. No comparison with it.`);
    return undefined;
  }
  return start([process.execPath, join(programs, "transformers-js.ts"), folder], { what: "transformers.js", hint });
}

/** Our engine in a process like the peers' own, where memory is compared. */
export const startEngine = (): Promise<Peer> => startOwn("engine");

/** The clients of the HTTP bench, outside the process that they load. */
export const startLoad = (): Promise<Peer> => startOwn("load");

async function startOwn(program: string): Promise<Peer> {
  const peer = await start([process.execPath, join(programs, `${program}.ts`)], { what: program, hint: "it is ours" });
  if (peer === undefined) throw new Error(`${program} did not start`);
  return peer;
}

function transformersJsFolder(): string | undefined {
  const given = process.env["MLSEC_BENCH_PEERS"];
  const folder = resolve(given ?? join(root, process.env["MLSEC_DATA_DIR"] ?? ".mlsec", "bench"));
  const installed = join(folder, "node_modules", transformersJs.name);
  if (existsSync(installed)) return installed;
  if (given !== undefined) return undefined;
  mkdirSync(folder, { recursive: true });
  const wanted = `${transformersJs.name}@${transformersJs.version}`;
  console.log(`installing ${wanted} for this bench`);
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, wanted];
  const run = spawnSync("npm", args, { encoding: "utf8", shell: process.platform === "win32" });
  return run.status === 0 && existsSync(installed) ? installed : undefined;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;
interface Reply {
  readonly ready?: Readonly<Record<string, string>>;
  readonly missing?: string;
  readonly answer?: unknown;
  readonly error?: string;
}

async function start(command: readonly string[], about: { what: string; hint: string }): Promise<Peer | undefined> {
  const [file = "", ...args] = command;
  const env = {
    ...process.env,
    TOKENIZERS_PARALLELISM: "true",
    HF_HUB_OFFLINE: "1",
    TORCHINDUCTOR_COMPILE_THREADS: "1",
  };
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"], env, cwd: root });
  const replies = replyReader(child);
  const first = await replies();
  if (first.ready === undefined) {
    console.log(`${about.what} is not here (${first.missing ?? first.error}): ${about.hint}. No comparison with it.`);
    return undefined;
  }
  const exited = new Promise<void>((done) => {
    if (child.exitCode !== null) done();
    child.once("exit", () => done());
  });
  return {
    versions: first.ready,
    pid: child.pid ?? 0,
    async ask<Answer>(call: string, details: Readonly<Record<string, unknown>> = {}) {
      child.stdin.write(`${JSON.stringify({ call, ...details })}\n`);
      const { error, answer } = await replies();
      if (error !== undefined) throw new Error(`${about.what}, ${call}: ${error}`);
      return answer as Answer;
    },
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}

/** The next reply, in order; an end of the program is a reply with an error. */
function replyReader(child: Child): () => Promise<Reply> {
  const arrived: Reply[] = [];
  const waiting: ((reply: Reply) => void)[] = [];
  const give = (reply: Reply): void => {
    const next = waiting.shift();
    if (next) next(reply);
    else arrived.push(reply);
  };
  createInterface({ input: child.stdout }).on("line", (line) => give(JSON.parse(line) as Reply));
  child.once("error", (error) => give({ error: error.message }));
  child.once("exit", (code, signal) => give({ error: `it ended (${code ?? signal})` }));
  child.stdin.on("error", () => undefined); // its end is told by "exit"
  return () => {
    const reply = arrived.shift();
    return reply ? Promise.resolve(reply) : new Promise((done) => waiting.push(done));
  };
}
