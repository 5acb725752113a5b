/**
 * Where downloaded models lie: `<cache>/<owner>--<name>/<commit>/` holds the files of one commit and, once all that
 * were asked for are there, `hub.json` with their sizes and checksums; `<cache>/<owner>--<name>/revisions/<name>` holds
 * the commit that a branch or tag last stood for. Unfinished files lie in `<commit>/.parts/`, beside a `hub.json` of
 * those that are finished.
 */
import { randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EngineError } from "../error.ts";
import { isCommit } from "./files.ts";
import { cancelled } from "./request.ts";

/** A model that lies in the cache. */
export interface CachedModel {
  readonly repository: string;
  readonly commit: string;
  readonly folder: string;
  /** Whether it holds all that a classifier needs, not only files that were asked for by name. */
  readonly isWhole: boolean;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

const recordFile = "hub.json";
/** Of unfinished files, inside the folder of a commit. */
export const partsFolder = ".parts";
const byName = (a: string, b: string): number => (a < b ? -1 : 1);
/** A lock whose holder has not touched it for this long is nobody's. */
const staleAfterMs = 30_000;
const touchEveryMs = 5_000;
const pollMs = 100;

/**
 * The folder of one commit.
 * @example
 * commitFolder("/var/hub", "microsoft/deberta-v3-base", commit);
 */
export const commitFolder = (cacheDir: string, repository: string, commit: string): string =>
  join(repositoryFolder(cacheDir, repository), commit);

const repositoryFolder = (cacheDir: string, repository: string): string =>
  join(cacheDir, repository.replace("/", "--"));

/**
 * A model as the cache has it: complete, every file there with its recorded size; undefined otherwise.
 * @param revision a commit, or a branch or tag that was resolved here before
 * @example
 * await cachedModel("/var/hub", "gpt2", "main");
 */
export async function cachedModel(
  cacheDir: string,
  repository: string,
  revision: string,
): Promise<CachedModel | undefined> {
  const commit = isCommit(revision) ? revision : await recordedCommit(cacheDir, repository, revision);
  if (commit === undefined) return undefined;
  const folder = commitFolder(cacheDir, repository, commit);
  const record = await readRecord(folder);
  if (!record) return undefined;
  const files = await present(folder, record.files);
  return Object.keys(files).length === Object.keys(record.files).length ? { ...record, commit, folder } : undefined;
}

/**
 * The files of a commit that are finished, whether or not the others are.
 * @example
 * const { "config.json": config } = await finishedFiles(folder);
 */
export async function finishedFiles(folder: string): Promise<CachedModel["files"]> {
  const records = await Promise.all([readRecord(folder), readRecord(join(folder, partsFolder))]);
  return await present(folder, Object.assign({}, ...records.map((record) => record?.files)) as CachedModel["files"]);
}

/**
 * Every complete model of the cache, by repository and commit.
 * @example
 * for (const { repository, commit } of await listCached("/var/hub")) console.log(repository, commit);
 */
export async function listCached(cacheDir: string): Promise<CachedModel[]> {
  const found: CachedModel[] = [];
  for (const name of (await readdir(cacheDir).catch(() => [])).toSorted(byName)) {
    const commits = await readdir(join(cacheDir, name)).catch(() => []);
    for (const commit of commits.filter(isCommit).toSorted(byName)) {
      const folder = join(cacheDir, name, commit);
      const record = await readRecord(folder);
      if (record) found.push({ ...record, commit, folder });
    }
  }
  return found;
}

/**
 * Records files of a commit that are there, and whether they are all that was asked for.
 * @example
 * await recordModel({ repository: "gpt2", commit, folder, files, isWhole: true }, true);
 */
export async function recordModel(
  { repository, commit, folder, files, isWhole }: CachedModel,
  isComplete: boolean,
): Promise<void> {
  const text = `${JSON.stringify({ format: 1, repository, commit, isWhole, files }, null, 2)}\n`;
  await replaceFile(join(folder, isComplete ? "" : partsFolder, recordFile), text);
  if (isComplete) await rm(join(folder, partsFolder), { recursive: true, force: true });
}

/**
 * Records what commit a branch or tag stands for, for offline use.
 * @example
 * await recordRevision("/var/hub", "gpt2", "main", commit);
 */
export async function recordRevision(
  cacheDir: string,
  repository: string,
  { revision, commit }: { readonly revision: string; readonly commit: string },
): Promise<void> {
  if (isCommit(revision)) return;
  const folder = join(repositoryFolder(cacheDir, repository), "revisions");
  await mkdir(folder, { recursive: true });
  await replaceFile(join(folder, encodeURIComponent(revision)), commit);
}

/**
 * Runs something while no other process (or call) works in the same folder. A holder that died is noticed.
 * @throws EngineError CANCELLED when the signal aborts while waiting.
 * @example
 * await withLock(folder, signal, () => downloadInto(folder));
 */
export async function withLock<T>(folder: string, signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, ".lock");
  const token = JSON.stringify({ pid: process.pid, id: randomUUID() });
  while (!(await tryLock(path, token))) {
    if (signal?.aborted) throw cancelled();
    await delay(pollMs);
  }
  const touching = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), touchEveryMs);
  touching.unref();
  try {
    return await run();
  } finally {
    clearInterval(touching);
    if ((await readFile(path, "utf8").catch(() => "")) === token) await rm(path, { force: true });
  }
}

async function tryLock(path: string, token: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(token);
    await file.close();
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EEXIST") {
      throw new EngineError("WEIGHTS", "the cache folder cannot be written", { where: path }, { cause: error });
    }
  }
  const holder = await readFile(path, "utf8").catch(() => undefined);
  if (holder === undefined || !(await isStale(path, holder))) return false;
  // Taken away under a name of our own: of two that see the same dead lock, one gets it, and a live one is put back.
  const aside = `${path}.${randomUUID()}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return false;
  if ((await readFile(aside, "utf8").catch(() => holder)) !== holder) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
  return false;
}

async function isStale(path: string, holder: string): Promise<boolean> {
  const touched = (await stat(path).catch(() => undefined))?.mtimeMs;
  if (touched === undefined) return false;
  if (Date.now() - touched > staleAfterMs) return true;
  try {
    const { pid } = JSON.parse(holder) as { pid?: unknown };
    return typeof pid === "number" && !isAlive(pid);
  } catch {
    return false; // being written
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}

async function recordedCommit(cacheDir: string, repository: string, revision: string): Promise<string | undefined> {
  const path = join(repositoryFolder(cacheDir, repository), "revisions", encodeURIComponent(revision));
  const commit = await readFile(path, "utf8").catch(() => undefined);
  return isCommit(commit) ? commit : undefined;
}

async function present(folder: string, files: CachedModel["files"]): Promise<CachedModel["files"]> {
  const found: Record<string, CachedModel["files"][string]> = {};
  for (const [name, file] of Object.entries(files)) {
    if ((await stat(join(folder, name)).catch(() => undefined))?.size === file.bytes) found[name] = file;
  }
  return found;
}

async function readRecord(folder: string): Promise<Pick<CachedModel, "repository" | "files" | "isWhole"> | undefined> {
  try {
    const record = JSON.parse(await readFile(join(folder, recordFile), "utf8")) as Partial<CachedModel>;
    const { repository, files, isWhole = false } = record;
    return typeof repository === "string" && typeof files === "object" ? { repository, files, isWhole } : undefined;
  } catch {
    return undefined; // never finished, or damaged: fetched again
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await writeFile(temporary, text, { flush: true });
  await rename(temporary, path);
}
