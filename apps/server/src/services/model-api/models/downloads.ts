// Models on their way from the hub: one download per model, its progress for whoever asks, and how it ended.
import { AppError } from "@mlsec/contracts";
import {
  cachedModel,
  type CachedModel,
  downloadModel,
  type DownloadOptions,
  EngineError,
  MODEL_CONFIGS,
  readModelConfig,
} from "@mlsec/engine";
import type { Config } from "../../../platform/config/config.ts";

/** What to fetch. */
export interface HubSource {
  readonly repository: string;
  readonly revision: string;
}
export interface Download {
  readonly name: string;
  readonly source: HubSource;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Why it ended; undefined while it runs. */
  readonly error: string | undefined;
}
export interface Downloads {
  list(): readonly Download[];
  /** What is on this machine already. */
  find(source: HubSource): Promise<CachedModel | undefined>;
  /**
   * The labels of a model, from its configuration alone. WEIGHTS_UNREACHABLE, or CONFLICT for an architecture that is
   * not known: before hundreds of megabytes are fetched for nothing.
   */
  labels(name: string, source: HubSource): Promise<readonly string[]>;
  /** Resolves when the model is there. WEIGHTS_UNREACHABLE, DIGEST_MISMATCH or CANCELLED. */
  fetch(name: string, source: HubSource): Promise<void>;
  /** What came after the download failed: it stays visible as failed. */
  fail(name: string, error: unknown): void;
  /** Stops or forgets it; false when there is none. */
  cancel(name: string): boolean;
  stop(): Promise<void>;
}

interface Entry {
  readonly source: HubSource;
  readonly abort: AbortController;
  work: Promise<unknown>;
  doneBytes: number;
  totalBytes: number;
  error?: string;
}

/** `hf:owner/repo[@revision]`; a model of the engine's list by its short name. */
export function hubSource(name: string): HubSource | undefined {
  const [, repository, revision = "main"] = /^hf:([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(name) ?? [];
  if (repository !== undefined) return { repository, revision };
  return Object.hasOwn(MODEL_CONFIGS, name) ? MODEL_CONFIGS[name] : undefined;
}

export function createDownloads({ hub, modelDirs }: Pick<Config, "hub" | "modelDirs">): Downloads {
  const entries = new Map<string, Entry>();
  const options = ({ repository, revision }: HubSource): DownloadOptions => ({
    repository,
    revision,
    endpoint: hub.endpoint,
    token: hub.token?.reveal(),
    offline: hub.offline,
    cacheDir: hub.cacheDir,
  });
  const run = async (name: string, entry: Entry): Promise<void> => {
    try {
      await downloadModel({
        ...options(entry.source),
        signal: entry.abort.signal,
        onProgress: ({ doneBytes, totalBytes }) => Object.assign(entry, { doneBytes, totalBytes }),
      });
      entries.delete(name);
    } catch (error) {
      const known = hubError(error, name, modelDirs);
      // What never began, or was called off, leaves no trace.
      if (entry.doneBytes === 0 || entry.abort.signal.aborted) entries.delete(name);
      else entry.error = known.message;
      throw known;
    }
  };
  return {
    list: () =>
      [...entries].map(([name, { source, doneBytes, totalBytes, error }]) => ({
        name,
        source,
        doneBytes,
        totalBytes,
        error,
      })),
    async find({ repository, revision }) {
      const found = await cachedModel(hub.cacheDir, repository, revision);
      return found?.isWhole === true ? found : undefined;
    },
    async labels(name, source) {
      try {
        const look = { files: ["config.json"], retries: 1, stallTimeoutMs: 10_000 };
        const { folder } = await downloadModel({ ...options(source), ...look });
        return (await readModelConfig(folder)).config.labels;
      } catch (error) {
        throw hubError(error, name, modelDirs);
      }
    },
    fetch(name, source) {
      const under = entries.get(name);
      if (under && under.error === undefined) return under.work.then(() => undefined);
      const entry = {
        source,
        abort: new AbortController(),
        doneBytes: 0,
        totalBytes: 0,
        work: Promise.resolve(),
      };
      entries.set(name, entry);
      entry.work = run(name, entry);
      return entry.work;
    },
    fail(name, error) {
      const source = hubSource(name);
      const isCalledOff = error instanceof AppError && error.code === "CANCELLED";
      if (!source || isCalledOff || entries.has(name)) return;
      const [abort, work] = [new AbortController(), Promise.resolve()];
      const message = error instanceof Error ? error.message : String(error);
      entries.set(name, { source, abort, work, doneBytes: 0, totalBytes: 0, error: message });
    },
    cancel(name) {
      entries.get(name)?.abort.abort();
      return entries.delete(name);
    },
    async stop() {
      for (const { abort } of entries.values()) abort.abort();
      await Promise.allSettled([...entries.values()].map(({ work }) => work));
    },
  };
}

function hubError(error: unknown, name: string, modelDirs: readonly string[]): AppError {
  if (!(error instanceof EngineError))
    return new AppError("INTERNAL", "the download failed", { name }, { cause: error });
  const { code, message, details } = error;
  if (code === "CANCELLED") return new AppError("CANCELLED", `the download of "${name}" was cancelled`);
  if (code === "INTEGRITY") return new AppError("DIGEST_MISMATCH", `"${name}": ${message}`, { name }, { cause: error });
  if (code === "CONFIG" && details.where?.startsWith("config.json") === true)
    return new AppError("CONFLICT", `"${name}" cannot be served here: ${message}`, { name }, { cause: error });
  return unreachable(name, modelDirs, `${message}; `, error);
}

/** WEIGHTS_UNREACHABLE that says how to place the files by hand. */
export function unreachable(name: string, modelDirs: readonly string[], why = "", cause?: unknown): AppError {
  const where = modelDirs.length === 0 ? "a folder named in MLSEC_MODEL_DIRS" : "a folder under MLSEC_MODEL_DIRS";
  const files = "config.json, tokenizer.json (or its vocabulary files) and model.safetensors or pytorch_model.bin";
  const message = `the weights of "${name}" are not on this machine: ${why}put ${files} into ${where} and load "file:<that folder>"`;
  return new AppError("WEIGHTS_UNREACHABLE", message, { name }, cause === undefined ? {} : { cause });
}
