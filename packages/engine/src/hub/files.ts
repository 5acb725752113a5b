/** Which files of a repository a classifier needs, and what the hub says about each. */
import { EngineError } from "../error.ts";

/** What the bytes of a file must add up to: SHA-256, or Git's own sum for files that Git itself holds. */
export interface Checksum {
  readonly kind: "sha256" | "git";
  readonly hex: string;
}

/** A file of a repository; size and checksum where the listing names them. */
export interface HubFile {
  readonly name: string;
  readonly bytes?: number;
  readonly checksum?: Checksum;
}

const tokenizerNames = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];
/** Needed only where there is no tokenizer.json. */
const vocabularyNames = [
  "vocab.txt",
  "vocab.json",
  "merges.txt",
  "spm.model",
  "spiece.model",
  "sentencepiece.bpe.model",
  "tokenizer.model",
];

/**
 * The files to fetch: configuration, tokenizer, and weights in the best form there is.
 * @throws EngineError WEIGHTS when the repository holds no config.json or no weights that can be read.
 * @example
 * chooseFiles(["config.json", "model.safetensors", "pytorch_model.bin"]); // the first two
 */
export function chooseFiles(names: readonly string[], where = "repository"): string[] {
  const has = (name: string): boolean => names.includes(name);
  if (!has("config.json")) throw new EngineError("WEIGHTS", "repository holds no config.json", { where });
  const vocabulary = has("tokenizer.json") ? ["tokenizer.json"] : vocabularyNames.filter(has);
  return ["config.json", ...vocabulary, ...tokenizerNames.filter(has), ...weightsOf(names, where)];
}

function weightsOf(names: readonly string[], where: string): string[] {
  for (const [single, index, shard] of [
    ["model.safetensors", "model.safetensors.index.json", /^model-\d+-of-\d+\.safetensors$/],
    ["pytorch_model.bin", "pytorch_model.bin.index.json", /^pytorch_model-\d+-of-\d+\.bin$/],
  ] as const) {
    if (names.includes(single)) return [single];
    const shards = names.filter((name) => shard.test(name));
    if (names.includes(index) && shards.length > 0) return [index, ...shards.sort()];
  }
  throw new EngineError("WEIGHTS", "repository holds no weights that can be read", {
    where,
    expected: "model.safetensors or pytorch_model.bin, whole or in shards",
  });
}

/**
 * Refuses names that would leave the folder of the model.
 * @throws EngineError CONFIG
 * @example
 * requirePlainName("config.json");
 */
export function requirePlainName(name: string): void {
  if (name.length <= 200 && name.split("/").every((part) => /^\w[\w.+-]*$/.test(part))) return;
  throw new EngineError("CONFIG", "file name is not plain", { where: "files", got: name.slice(0, 200) });
}

/**
 * Reads the hub's answer about a revision.
 * @throws EngineError UNREACHABLE when it is not such an answer.
 * @example
 * const { commit, files } = parseListing(await response.json(), "gpt2");
 */
export function parseListing(value: unknown, where: string): { commit: string; files: HubFile[] } {
  const { sha, siblings } = (value ?? {}) as { sha?: unknown; siblings?: unknown };
  if (!isCommit(sha) || !Array.isArray(siblings)) {
    throw new EngineError("UNREACHABLE", "the answer is not that of a hub", { where, expected: "sha and siblings" });
  }
  return { commit: sha, files: siblings.flatMap(fileOf) };
}

/**
 * Whether a revision names a commit itself.
 * @example
 * isCommit("main"); // false
 */
export const isCommit = (value: unknown): value is string => typeof value === "string" && /^[0-9a-f]{40}$/.test(value);

/**
 * The checksum that an ETag of the hub is; undefined for any other ETag.
 * @example
 * checksumOf('"86b5e0934494bd15c9632b12f734a8a67f723594"'); // { kind: "git", hex: "86b5…" }
 */
export function checksumOf(etag: string | null): Checksum | undefined {
  const hex = etag?.replace(/^W\//, "").replaceAll('"', "") ?? "";
  if (/^[0-9a-f]{64}$/.test(hex)) return { kind: "sha256", hex };
  return isCommit(hex) ? { kind: "git", hex } : undefined;
}

function fileOf(sibling: unknown): HubFile[] {
  const { rfilename: name, size, blobId, lfs } = (sibling ?? {}) as Record<string, unknown>;
  if (typeof name !== "string") return [];
  const large = (lfs ?? {}) as { sha256?: unknown; size?: unknown };
  const bytes = isSize(large.size) ? large.size : isSize(size) ? size : undefined;
  const stated = typeof large.sha256 === "string" ? large.sha256 : "size" in large ? undefined : blobId;
  const checksum = checksumOf(typeof stated === "string" ? stated : null);
  return [{ name, ...(bytes === undefined ? {} : { bytes }), ...(checksum ? { checksum } : {}) }];
}

const isSize = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
