// The real PostgreSQL as a child of this process: on a unix socket in a private folder, no TCP port, gone when we are.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import pg from "pg";
import { commandOf, isAlive } from "../process.ts";
import { findRunner, isReachable, type Runner } from "./binaries.ts";
import type { Connection } from "./database.ts";

export interface EmbeddedServer {
  readonly connection: Connection;
  /** Where the data lies. */
  readonly folder: string;
  /** Of the server itself, while it runs. */
  pid(): number | undefined;
  stop(): Promise<void>;
}

const user = "mlsec";
// Small on purpose: a laptop's memory is for models. Durability stays on.
const settings = [
  "shared_buffers=24MB",
  "max_connections=60",
  "max_wal_size=256MB",
  "min_wal_size=32MB",
  "wal_compression=on",
  "autovacuum_max_workers=2",
  "max_worker_processes=4",
  "jit=off",
  "logging_collector=off",
  "log_min_messages=warning",
  "statement_timeout=60s",
  "idle_in_transaction_session_timeout=60s",
];

/**
 * The shell waits for the server and, beside it, for the end of a pipe that we hold: when we die, by kill -9 too, the read
 * ends and the server is told to stop.
 */
const keeper =
  'trap "" INT TERM HUP; exec 3<&0; "$0" "$@" 3<&- </dev/null & p=$!; (read x <&3; kill -INT $p) & k=$!; wait $p; s=$?; kill -KILL $k; exit $s';

interface Place {
  readonly runner: Runner;
  readonly folder: string;
  readonly data: string;
  readonly access: { readonly host: string; readonly port: number; readonly password?: string };
}
/** One life of the server. */
interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
}

/**
 * Starts the server on `<dataDir>/postgres`, making the cluster on the first start. Resolves when it takes connections.
 * A server that dies under us is started again on the same socket, where the pool finds it.
 */
export async function startEmbedded(
  dataDir: string,
  options: { onTrouble?: (message: string) => void } = {},
): Promise<EmbeddedServer> {
  const place = await prepare(dataDir);
  const { folder, data, access } = place;
  const connection: Connection = { ...access, user, database: "postgres" };
  let run = await launch(place, connection);
  let isStopping = false;
  const keepUp = async (): Promise<void> => {
    for (let failures = 0; !isStopping && failures < 20; ) {
      await run.ended;
      if (isStopping) return;
      options.onTrouble?.("the embedded PostgreSQL ended by itself and is started again");
      try {
        await stopLeftover(data);
        run = await launch(place, connection);
        failures = 0;
      } catch {
        // Backends of the dead server may hold its memory for a moment yet.
        failures++;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  };
  void keepUp();
  return {
    connection,
    folder,
    pid: () => postmasterPid(data),
    async stop() {
      isStopping = true;
      run.child.stdin?.end();
      if (process.platform === "win32") run.child.kill();
      await run.ended;
      if (process.platform !== "win32") fs.rmSync(access.host, { recursive: true, force: true });
    },
  };
}

async function prepare(dataDir: string): Promise<Place> {
  const runner = findRunner();
  const folder = dataFolder(dataDir, runner);
  const data = path.join(folder, "data");
  await stopLeftover(data);
  if (!fs.existsSync(path.join(data, "PG_VERSION"))) await makeCluster(folder, runner);
  if (process.platform === "win32") return { runner, folder, data, access: await loopbackAccess(folder) };
  const socket = socketFolder(folder, runner);
  return { runner, folder, data, access: { host: socket, port: 5432 } };
}

async function launch({ runner, folder, data, access }: Place, connection: Connection): Promise<Run> {
  const logFile = path.join(folder, "server.log");
  const log = fs.openSync(logFile, "w", 0o600);
  const isWindows = process.platform === "win32";
  const child = isWindows ? spawnOnWindows(runner, data, access.port, log) : spawnKept(runner, data, access.host, log);
  fs.closeSync(log);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await whenReady(connection, child, logFile);
  return { child, ended };
}

function spawnKept(runner: Runner, data: string, socket: string, log: number): ChildProcess {
  const flags = ["listen_addresses=", `unix_socket_directories=${socket}`, "unix_socket_permissions=0700", ...settings];
  const program = path.join(runner.native, "bin/postgres");
  // A session of its own: Ctrl-C in a terminal reaches us, who drain first, and not the server beside us.
  return spawn("/bin/sh", ["-c", keeper, program, "-D", data, ...flags.flatMap((flag) => ["-c", flag])], {
    ...runner.as,
    detached: true,
    stdio: ["pipe", log, log],
  });
}

function spawnOnWindows(runner: Runner, data: string, port: number, log: number): ChildProcess {
  const flags = ["listen_addresses=127.0.0.1", `port=${port}`, ...settings];
  const program = path.join(runner.native, "bin/postgres.exe");
  return spawn(program, ["-D", data, ...flags.flatMap((flag) => ["-c", flag])], { stdio: ["pipe", log, log] });
}

/** Without unix sockets: any free port, and the password that was made with the cluster. */
async function loopbackAccess(folder: string): Promise<{ host: string; port: number; password: string }> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { host: "127.0.0.1", port, password: fs.readFileSync(path.join(folder, "password"), "utf8") };
}

/** Into a staging folder first: a kill in the middle leaves rubbish that the next start removes, never half a cluster. */
async function makeCluster(folder: string, runner: Runner): Promise<void> {
  for (const name of fs.readdirSync(folder)) {
    if (name.startsWith("new-")) fs.rmSync(path.join(folder, name), { recursive: true, force: true });
  }
  const staging = path.join(folder, `new-${randomBytes(4).toString("hex")}`);
  const flags = [
    "-D",
    staging,
    "-U",
    user,
    "-E",
    "UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
  ];
  if (process.platform === "win32") {
    fs.writeFileSync(path.join(folder, "password"), randomBytes(24).toString("base64url"), { mode: 0o600 });
    flags.push("-A", "scram-sha-256", `--pwfile=${path.join(folder, "password")}`);
  } else flags.push("-A", "trust");
  const child = spawn(path.join(runner.native, "bin/initdb"), flags, {
    ...runner.as,
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let trouble = "";
  child.stderr.on("data", (chunk: Buffer) => {
    trouble += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once("close", resolve).once("error", reject),
  );
  if (code !== 0) throw new AppError("INTERNAL", `initdb failed (${code}): ${trouble.trim().split("\n").at(-1) ?? ""}`);
  fs.renameSync(staging, path.join(folder, "data"));
}

/** `<dataDir>/postgres`; run as root under a closed folder, a place under /var/lib that `<dataDir>/postgres.location` names. */
function dataFolder(dataDir: string, runner: Runner): string {
  fs.mkdirSync(dataDir, { recursive: true });
  const inside = path.join(dataDir, "postgres");
  if (runner.as.uid === undefined) {
    fs.mkdirSync(inside, { recursive: true, mode: 0o700 });
    return inside;
  }
  const pointer = path.join(dataDir, "postgres.location");
  if (!fs.existsSync(pointer)) {
    // Others may pass through, not look: what is private inside says so itself.
    fs.chmodSync(dataDir, (fs.statSync(dataDir).mode & 0o777) | 0o011);
    if (isReachable(dataDir, runner)) {
      fs.mkdirSync(inside, { recursive: true, mode: 0o700 });
      own(inside, runner);
      return inside;
    }
    fs.writeFileSync(pointer, path.join("/var/lib/mlsec", randomBytes(8).toString("hex")));
  }
  const outside = fs.readFileSync(pointer, "utf8");
  fs.mkdirSync(path.dirname(outside), { recursive: true, mode: 0o711 });
  fs.mkdirSync(outside, { recursive: true, mode: 0o700 });
  own(outside, runner);
  return outside;
}

/** A new private folder; the one of a start that was killed goes. */
function socketFolder(folder: string, runner: Runner): string {
  const note = path.join(folder, "socket.location");
  const prefix = path.join(shortTemp(), "mlsec-pg-");
  const before = fs.existsSync(note) ? fs.readFileSync(note, "utf8") : "";
  if (before.startsWith(prefix)) fs.rmSync(before, { recursive: true, force: true });
  const socket = fs.mkdtempSync(prefix);
  own(socket, runner);
  fs.writeFileSync(note, socket);
  return socket;
}

function own(folder: string, { as }: Runner): void {
  if (as.uid !== undefined && as.gid !== undefined) fs.chownSync(folder, as.uid, as.gid);
}

/** Socket paths over about 100 bytes fail, and macOS has a long temporary folder. */
const shortTemp = (): string => (process.platform === "win32" || os.tmpdir().length <= 60 ? os.tmpdir() : "/tmp");

const postmasterPid = (data: string): number | undefined => {
  try {
    return Number.parseInt(fs.readFileSync(path.join(data, "postmaster.pid"), "utf8"), 10);
  } catch {
    return undefined;
  }
};

/** A server that outlived its system (we hold the data folder's lock, so it has none) is stopped; a stale pid file goes. */
async function stopLeftover(data: string): Promise<void> {
  const file = path.join(data, "postmaster.pid");
  const pid = postmasterPid(data);
  if (pid === undefined || !Number.isInteger(pid)) return;
  const isServer = (): boolean => isAlive(pid) && (commandOf(pid) ?? data).includes(data);
  const signals = ["SIGINT", "SIGQUIT", "SIGKILL"] as const;
  for (const signal of signals) {
    if (!isServer()) break;
    process.kill(pid, signal);
    for (let waited = 0; waited < 5_000 && isServer(); waited += 20)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }
  fs.rmSync(file, { force: true });
}

async function whenReady(connection: Connection, child: ChildProcess, logFile: string): Promise<void> {
  const spawnError = new Promise<Error>((resolve) => child.once("error", resolve));
  // Recovery after a kill may take long; the server's end, not a clock, says that it will not come.
  for (const began = Date.now(); ; ) {
    if (child.exitCode !== null || child.signalCode !== null) {
      const lines = fs.readFileSync(logFile, "utf8").trim().split("\n");
      throw new AppError("INTERNAL", `PostgreSQL did not start: ${lines.slice(-3).join(" | ")}`);
    }
    const client = new pg.Client({ ...connection, connectionTimeoutMillis: 2_000 });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (cause) {
      await client.end().catch(() => undefined);
      if (Date.now() - began > 300_000)
        throw new AppError("INTERNAL", "PostgreSQL did not start within five minutes", {}, { cause });
    }
    const error = await Promise.race([spawnError, new Promise<undefined>((resolve) => setTimeout(resolve, 10))]);
    if (error) throw new AppError("INTERNAL", "PostgreSQL could not be started", {}, { cause: error });
  }
}

/** Makes a database of this name unless it exists, optionally as a copy of a template. */
export async function ensureDatabase(connection: Connection, name: string, template?: string): Promise<Connection> {
  const client = new pg.Client({ ...connection });
  await client.connect();
  try {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [name]);
    const quoted = pg.escapeIdentifier(name);
    if (rowCount === 0)
      await client.query(`create database ${quoted}${template ? ` template ${pg.escapeIdentifier(template)}` : ""}`);
  } finally {
    await client.end();
  }
  return { ...connection, database: name };
}
