// The encoders that training starts from: folders placed by hand, what the hub cache holds, and the hub itself.
import fs from "node:fs";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import {
  cachedModel,
  type DownloadOptions,
  downloadModel,
  EngineError,
  readModelConfig,
  weightNames,
} from "@mlsec/engine";
import type { Config } from "../../platform/config/config.ts";

/** An encoder by its folder name, and where it can be had. */
export interface Base {
  readonly name: string;
  readonly repository: string;
  readonly revision: string;
}
/** An encoder on this machine; `base` is what is recorded about a version that starts from it. */
export interface FoundBase {
  readonly folder: string;
  readonly base: string;
}
export interface Bases {
  /** Before a job is queued: WEIGHTS_UNREACHABLE or CONFLICT when it could not start. Fetches no weights. */
  check(asked: string, base: Base): Promise<void>;
  /** Fetches what is not here. WEIGHTS_UNREACHABLE, DIGEST_MISMATCH or CANCELLED. */
  find(asked: string, base: Base, progress: Pick<DownloadOptions, "signal" | "onProgress">): Promise<FoundBase>;
}

/** How long a caller waits for a hub that says nothing. */
const patienceMs = 10_000;
const vocabularies = [
  "tokenizer.json",
  "vocab.txt",
  "vocab.json",
  "spm.model",
  "spiece.model",
  "sentencepiece.bpe.model",
];

export function createBases(hub: Config["hub"], baseDirs: readonly string[]): Bases {
  const placed = ({ name, repository }: Base): FoundBase | undefined => {
    const folder = baseDirs.map((dir) => path.join(dir, name)).find(isEncoder);
    return folder === undefined
      ? undefined
      : { folder, base: name === repository.replace("/", "--") ? repository : name };
  };
  const cached = async ({ repository, revision }: Base): Promise<FoundBase | undefined> => {
    const found = await cachedModel(hub.cacheDir, repository, revision);
    return found?.isWhole === true ? fetched(found) : undefined;
  };
  const options = ({ repository, revision }: Base): DownloadOptions => ({
    repository,
    revision,
    endpoint: hub.endpoint,
    token: hub.token?.reveal(),
    offline: hub.offline,
    cacheDir: hub.cacheDir,
  });
  return {
    async check(asked, base) {
      if (placed(base) ?? (await cached(base))) return;
      try {
        const look = { files: ["config.json"], retries: 0, stallTimeoutMs: patienceMs };
        await readModelConfig((await downloadModel({ ...options(base), ...look })).folder);
      } catch (error) {
        throw baseError(error, asked, base, baseDirs);
      }
    },
    async find(asked, base, progress) {
      const here = placed(base) ?? (await cached(base));
      if (here) return here;
      try {
        return fetched(await downloadModel({ ...options(base), ...progress }));
      } catch (error) {
        throw baseError(error, asked, base, baseDirs);
      }
    },
  };
}

const fetched = ({
  folder,
  repository,
  commit,
}: {
  folder: string;
  repository: string;
  commit: string;
}): FoundBase => ({
  folder,
  base: `hf:${repository}@${commit}`,
});

function isEncoder(folder: string): boolean {
  const has = (name: string): boolean => fs.existsSync(path.join(folder, name));
  return has("config.json") && vocabularies.some(has) && weightNames.some(has);
}

function baseError(error: unknown, asked: string, { name, repository }: Base, baseDirs: readonly string[]): AppError {
  if (!(error instanceof EngineError))
    return new AppError("INTERNAL", "the download failed", { asked }, { cause: error });
  const { code, message, details } = error;
  if (code === "CANCELLED") return new AppError("CANCELLED", "the download was cancelled");
  if (code === "INTEGRITY")
    return new AppError("DIGEST_MISMATCH", `${repository}: ${message}`, { asked }, { cause: error });
  if (code === "CONFIG" && details.where?.startsWith("config.json") === true)
    return new AppError("CONFLICT", `${repository} cannot be trained here: ${message}`, { asked }, { cause: error });
  // The folders themselves stay out of the answer: they may lie anywhere on the server.
  const where =
    baseDirs.length > 2 ? "a folder of MLSEC_MODEL_DIRS" : "MLSEC_DATA_DIR/models (or a folder of MLSEC_MODEL_DIRS)";
  const files = "config.json, tokenizer.json (or its vocabulary files) and model.safetensors or pytorch_model.bin";
  return new AppError(
    "WEIGHTS_UNREACHABLE",
    `the weights of "${asked}" are not on this machine: ${message}; put ${files} of ${repository} into ${where} as "${name}/" and send this again`,
    { asked, base: name },
    { cause: error },
  );
}
