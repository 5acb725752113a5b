/** Finds the tokenizer of a model folder, in whichever form it lies there, and hands it on as a `tokenizer.json`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { parseSentencePiece } from "./sentencepiece.ts";
import { type SpmFamily, spmTokenizer } from "./spm-tokenizers.ts";
import type { Json } from "./stages.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";
import { byteLevelTokenizer, wordPieceTokenizer } from "./vocab-files.ts";

/** SentencePiece files, and the families whose tokenizer each may be. The first one is meant where nothing says. */
const SPM_FILES: readonly (readonly [file: string, fallback: SpmFamily])[] = [
  ["spm.model", "deberta-v2"],
  ["spiece.model", "t5"],
  ["sentencepiece.bpe.model", "xlm-roberta"],
];
const FAMILIES: Readonly<Record<string, SpmFamily>> = {
  "deberta-v2": "deberta-v2",
  "deberta-v3": "deberta-v2",
  debertav2: "deberta-v2",
  "xlm-roberta": "xlm-roberta",
  "xlm-roberta-xl": "xlm-roberta",
  xlmroberta: "xlm-roberta",
  t5: "t5",
  mt5: "t5",
  umt5: "t5",
  longt5: "t5",
};

/** Classes that any family may name. */
const GENERIC = new Set(["pretrained", "tokenizersbackend"]);

/**
 * Loads the tokenizer of a model folder: `tokenizer.json`, or the SentencePiece or vocabulary files it would be made of.
 * @throws EngineError TOKENIZER when a file is missing, damaged or of an unsupported kind.
 * @example
 * const tokenizer = await loadTokenizer("models/minilm-l6");
 * tokenizer.encode("Hello").ids; // 101, 7592, 102
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const { json, config } = await readTokenizerFolder(folder);
  return createTokenizer(json, config);
}

/**
 * The parsed tokenizer and `tokenizer_config.json` of a folder. `tokenizer.json` counts first, then SentencePiece
 * files, `vocab.txt`, and `vocab.json` with `merges.txt`.
 * @throws EngineError TOKENIZER when no file is there, or one is damaged or of an unknown family.
 * @example
 * const { json, config } = await readTokenizerFolder("models/minilm-l6");
 */
export async function readTokenizerFolder(folder: string): Promise<{ readonly json: Json; readonly config: Json }> {
  const config = await readJson(join(folder, "tokenizer_config.json"));
  const json = (await readJson(join(folder, "tokenizer.json"))) ?? (await convert(folder, config ?? {}));
  if (json) return { json, config: config ?? {} };
  throw new EngineError("TOKENIZER", "the folder holds no tokenizer", {
    where: folder,
    expected: ["tokenizer.json", ...SPM_FILES.map(([file]) => file), "vocab.txt", "vocab.json and merges.txt"],
  });
}

async function convert(folder: string, config: Json): Promise<Json | undefined> {
  for (const [name, fallback] of SPM_FILES) {
    const file = await read(join(folder, name));
    if (!file) continue;
    const family = familyOf(config, (await readJson(join(folder, "config.json"))) ?? {}) ?? fallback;
    return spmTokenizer(parseSentencePiece(file), { family, config });
  }
  const [wordPiece, merges] = await Promise.all(["vocab.txt", "merges.txt"].map((name) => read(join(folder, name))));
  if (wordPiece) return wordPieceTokenizer(wordPiece.toString("utf8"), config);
  const vocab = await readJson(join(folder, "vocab.json"));
  return vocab && merges ? byteLevelTokenizer({ vocab, merges: merges.toString("utf8") }, config) : undefined;
}

/** The family that a folder's configuration names; undefined when it names none. */
function familyOf(tokenizerConfig: Json, modelConfig: Json): SpmFamily | undefined {
  const className = tokenizerConfig["tokenizer_class"];
  const modelType = modelConfig["model_type"];
  const shortClass = typeof className === "string" ? className.replace(/Tokenizer(Fast)?$/, "").toLowerCase() : "";
  const named = [shortClass, typeof modelType === "string" ? modelType : ""].filter(
    (name) => name !== "" && !GENERIC.has(name),
  );
  for (const name of named) {
    const family = FAMILIES[name];
    if (family) return family;
  }
  if (named.length === 0) return undefined;
  throw new EngineError("TOKENIZER", "SentencePiece files of this model family are not supported", {
    expected: Object.keys(FAMILIES),
    got: named,
  });
}

async function read(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new EngineError("TOKENIZER", "tokenizer file cannot be read", { where: path }, { cause });
  }
}

async function readJson(path: string): Promise<Json | undefined> {
  const file = await read(path);
  if (!file) return undefined;
  try {
    const value: unknown = JSON.parse(file.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  } catch (cause) {
    throw new EngineError("TOKENIZER", "tokenizer file is not JSON", { where: path }, { cause });
  }
  throw new EngineError("TOKENIZER", "tokenizer file is not an object", { where: path });
}
