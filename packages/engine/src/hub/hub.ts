/** Models from a hub that speaks Hugging Face's protocol: pinned to a commit, checked, resumed, cached.
 * Source: https://huggingface.co/docs/hub/api */
import { join } from "node:path";
import { EngineError } from "../error.ts";
import {
  cachedModel,
  type CachedModel,
  commitFolder,
  finishedFiles,
  partsFolder,
  recordModel,
  recordRevision,
  withLock,
} from "./cache.ts";
import { chooseFiles, type HubFile, isCommit, parseListing, requirePlainName } from "./files.ts";
import { cancelled, get, type HubAccess, retrying, Trouble } from "./request.ts";
import { fetchFile } from "./transfer.ts";

/** How far a download is; sizes in bytes, totals as far as they are known. */
export interface HubProgress {
  readonly file: string;
  readonly fileBytes: number;
  readonly fileTotal: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** What to download, and from where. */
export interface DownloadOptions extends HubAccess {
  /** `owner/name`, or a name alone for the hub's oldest models. */
  readonly repository: string;
  /** Branch, tag or commit; what it stands for is recorded. Default `main`. */
  readonly revision?: string | undefined;
  /** Default: configuration, tokenizer and weights (`chooseFiles`). */
  readonly files?: readonly string[] | undefined;
  /** See cache.ts for what lies where. */
  readonly cacheDir: string;
  /** Only look into the cache. */
  readonly offline?: boolean | undefined;
  /** Largest sum of all files. Default 20 GB. */
  readonly maxBytes?: number | undefined;
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
}

/** A model that is on this machine. */
export interface DownloadedModel extends CachedModel {
  /** Bytes that came over the network for this call. */
  readonly receivedBytes: number;
}

const standardMaxBytes = 20e9;
const maxListingBytes = 20e6;

/**
 * Brings a model into the cache and says where it lies. A commit that is complete in the cache costs no request.
 * Several processes may ask for the same model: one downloads, the others wait.
 * @throws EngineError UNREACHABLE when the hub cannot be reached, refuses, or `offline` finds nothing; INTEGRITY when
 * content and checksum differ; WEIGHTS when nothing usable is there or it is too large; CONFIG for a name that is none;
 * CANCELLED.
 * @example
 * const { folder, commit } = await downloadModel({
 *   repository: "distilbert/distilbert-base-uncased", revision: "main",
 *   endpoint: "https://huggingface.co", cacheDir: "/var/lib/models",
 * });
 */
export async function downloadModel(options: DownloadOptions): Promise<DownloadedModel> {
  const { repository, revision = "main", cacheDir, files, signal } = options;
  if (!URL.canParse(options.endpoint)) {
    throw new EngineError("CONFIG", "the hub's address is none", { where: "endpoint", got: options.endpoint });
  }
  requireNames(repository, revision, files);
  if (signal?.aborted) throw cancelled();
  if (options.offline === true || isCommit(revision)) {
    const cached = await cachedModel(cacheDir, repository, revision);
    if (cached && holds(cached, files)) return { ...cached, receivedBytes: 0 };
  }
  if (options.offline === true) {
    throw new EngineError("UNREACHABLE", "the model is not in the cache, and the hub is not asked (offline)", {
      where: `${repository}@${revision}`,
    });
  }
  let listing: { commit: string; files: HubFile[] };
  try {
    listing = await list(options, revision);
  } catch (error) {
    // A hub that is down is no reason to refuse what was fetched from it before.
    const cached = error instanceof Trouble ? await cachedModel(cacheDir, repository, revision) : undefined;
    if (cached && holds(cached, files)) return { ...cached, receivedBytes: 0 };
    throw error;
  }
  const folder = commitFolder(cacheDir, repository, listing.commit);
  const model = await withLock(folder, signal, () => fill(options, folder, listing));
  await recordRevision(cacheDir, repository, { revision, commit: listing.commit });
  return model;
}

async function list(options: DownloadOptions, revision: string): Promise<{ commit: string; files: HubFile[] }> {
  const { repository } = options;
  const url = `${base(options)}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const listing = await retrying(async () => {
    const answer = await get(url, { accept: "application/json" }, options);
    try {
      return parseListing(await readJson(answer.chunks(), url), `${repository}@${revision}`);
    } finally {
      answer.close();
    }
  }, options);
  if (isCommit(revision) && listing.commit !== revision) {
    throw new EngineError("INTEGRITY", "the hub answers for another commit", {
      where: repository,
      expected: revision,
      got: listing.commit,
    });
  }
  return listing;
}

async function readJson(chunks: AsyncIterable<Uint8Array>, where: string): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxListingBytes) throw new EngineError("UNREACHABLE", "the hub's answer is too long", { where });
    parts.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch (cause) {
    throw new Trouble("the hub's answer is no JSON", where, { cause });
  }
}

/** Fetches what is missing of a commit. */
async function fill(
  options: DownloadOptions,
  folder: string,
  listing: { readonly commit: string; readonly files: readonly HubFile[] },
): Promise<DownloadedModel> {
  const { repository, maxBytes = standardMaxBytes } = options;
  const { commit } = listing;
  const have = await finishedFiles(folder);
  const before = await cachedModel(options.cacheDir, repository, commit);
  const isWhole = options.files === undefined || before?.isWhole === true;
  const names =
    options.files ??
    chooseFiles(
      listing.files.map(({ name }) => name),
      repository,
    );
  const wanted = names.map((name) => listing.files.find((file) => file.name === name) ?? missing(repository, name));
  const totalBytes = wanted.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  if (totalBytes > maxBytes) {
    throw new EngineError("WEIGHTS", "model is larger than allowed", {
      where: repository,
      expected: maxBytes,
      got: totalBytes,
    });
  }
  const files: Record<string, { bytes: number; sha256: string }> = { ...have };
  let doneBytes = 0;
  let receivedBytes = 0;
  for (const file of wanted) {
    const begun = doneBytes;
    const known = have[file.name];
    if (!known) {
      const onBytes = (fileBytes: number, fileTotal: number): void =>
        options.onProgress?.({
          file: file.name,
          fileBytes,
          fileTotal,
          doneBytes: begun + fileBytes,
          totalBytes: Math.max(totalBytes, begun + fileTotal),
        });
      const url = `${base(options)}/${repository}/resolve/${commit}/${file.name}`;
      const part = join(folder, partsFolder, `${file.name}.part`);
      const rest = { file, commit, target: join(folder, file.name), part, maxBytes: maxBytes - begun, onBytes };
      const { sha256, bytes, received } = await fetchFile({ url, ...rest }, options);
      files[file.name] = { bytes, sha256 };
      receivedBytes += received;
      await recordModel({ repository, commit, folder, files, isWhole: false }, false);
    }
    doneBytes += files[file.name]?.bytes ?? 0;
  }
  const model = { repository, commit, folder, files, isWhole };
  await recordModel(model, true);
  return { ...model, receivedBytes };
}

const base = ({ endpoint }: DownloadOptions): string => endpoint.replace(/\/+$/, "");
const holds = ({ files, isWhole }: CachedModel, wanted: readonly string[] | undefined): boolean =>
  wanted === undefined ? isWhole : wanted.every((name) => Object.hasOwn(files, name));

function missing(repository: string, name: string): never {
  throw new EngineError("WEIGHTS", "repository has no such file", { where: repository, expected: name });
}

function requireNames(repository: string, revision: string, files: readonly string[] | undefined): void {
  if (repository.length > 200 || !/^(?:\w[\w.-]*\/)?\w[\w.-]*$/.test(repository) || repository.includes("..")) {
    throw new EngineError("CONFIG", "not the name of a repository", {
      where: "repository",
      got: repository.slice(0, 200),
    });
  }
  if (revision.length > 200 || !/^\w[\w./-]*$/.test(revision) || revision.includes("..")) {
    throw new EngineError("CONFIG", "not the name of a revision", { where: "revision", got: revision.slice(0, 200) });
  }
  for (const name of files ?? []) requirePlainName(name);
}
