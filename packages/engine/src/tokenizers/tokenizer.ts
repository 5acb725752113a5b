/** A tokenizer read from a Hugging Face `tokenizer.json`, with offsets through every stage. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { type AddedTokenSplitter, addedTokenSplitter, readAddedTokens, type Segment } from "./added-tokens.ts";
import { sourceEnd, sourceStart } from "./aligned-text.ts";
import { bertNormalizer } from "./bert-normalizer.ts";
import { bertPreTokenizer } from "./bert-pre-tokenizer.ts";
import { readPostProcessor } from "./post-processors.ts";
import type { Json, Model, Normalizer, PreTokenizer } from "./stages.ts";
import { wordPiece } from "./word-piece.ts";

/** Token ids of one text, untruncated. `starts`/`ends` are UTF-16 offsets into it; special tokens have 0, 0. */
export interface Encoding {
  readonly ids: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** 1 where the token was put there by the post-processor. */
  readonly specials: Uint8Array;
}

/** Text to token ids. Safe to share: calls keep no state but bounded caches. */
export interface Tokenizer {
  /** Ids run from 0 to `vocabSize - 1`, added tokens included. */
  readonly vocabSize: number;
  readonly padId: number;
  readonly prefixIds: readonly number[];
  readonly suffixIds: readonly number[];
  /** Any string is fine: NUL and lone surrogates included. `addSpecials` is true by default. */
  encode(text: string, options?: { readonly addSpecials?: boolean }): Encoding;
}

/**
 * Loads `tokenizer.json` (and `tokenizer_config.json`, where there is one) of a model folder.
 * @throws EngineError TOKENIZER when a file is missing, damaged or of an unsupported kind.
 * @example
 * const tokenizer = await loadTokenizer("models/minilm-l6");
 * tokenizer.encode("Hello").ids; // 101, 7592, 102
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const json = await readJson(join(folder, "tokenizer.json"));
  const config = await readJson(join(folder, "tokenizer_config.json")).catch(() => ({}));
  return createTokenizer(json, config);
}

/**
 * A tokenizer from the parsed contents of its two files.
 * @throws EngineError TOKENIZER as `loadTokenizer`.
 * @example
 * createTokenizer({ model: { type: "WordPiece", vocab: { "[UNK]": 0 } } }).encode("a").ids; // 0
 */
export function createTokenizer(json: Json, config: Json = {}): Tokenizer {
  const normalizer = readNormalizer(json["normalizer"]);
  const preTokenizer = readPreTokenizer(json["pre_tokenizer"]);
  const model = readModel(json["model"]);
  const { prefixIds, suffixIds } = readPostProcessor(json["post_processor"]);
  const added = readAddedTokens(json["added_tokens"]);
  const splitRaw = addedTokenSplitter(added.filter(({ isNormalized }) => !isNormalized));
  const splitNormalized = addedTokenSplitter(
    added.filter(({ isNormalized }) => isNormalized),
    normalizer,
  );
  const stages: Stages = { normalizer, preTokenizer, model, splitRaw, splitNormalized };
  const largestAdded = added.reduce((largest, { id }) => Math.max(largest, id), -1);
  const padding = (json["padding"] as Json | null | undefined)?.["pad_id"];
  const padToken = padTokenOf(config);
  const padId =
    typeof padding === "number"
      ? padding
      : (added.find(({ content }) => content === padToken)?.id ?? model.idOf(padToken));
  return {
    vocabSize: Math.max(model.vocabSize, largestAdded + 1),
    padId: padId ?? 0,
    prefixIds,
    suffixIds,
    encode(text, { addSpecials = true } = {}) {
      return encodeText(text, stages, addSpecials ? prefixIds : [], addSpecials ? suffixIds : []);
    },
  };
}

interface Stages {
  readonly normalizer: Normalizer;
  readonly preTokenizer: PreTokenizer;
  readonly model: Model;
  readonly splitRaw: AddedTokenSplitter;
  readonly splitNormalized: AddedTokenSplitter;
}

function encodeText(
  text: string,
  stages: Stages,
  prefixIds: readonly number[],
  suffixIds: readonly number[],
): Encoding {
  const tokens: number[] = []; // id, start, end
  for (const id of prefixIds) tokens.push(id, 0, 0);
  for (const raw of stages.splitRaw({ text, base: 0 })) {
    if (raw.tokenId !== undefined) pushAdded(raw, tokens);
    else {
      for (const segment of stages.splitNormalized(stages.normalizer.normalize(raw.text))) {
        if (segment.tokenId !== undefined) pushAdded(segment, tokens);
        else pushWords(segment, stages, tokens);
      }
    }
  }
  for (const id of suffixIds) tokens.push(id, 0, 0);
  return packTokens(tokens, prefixIds.length, suffixIds.length);
}

function pushAdded({ text, tokenId = 0 }: Segment, tokens: number[]): void {
  tokens.push(tokenId, sourceStart(text, 0), sourceEnd(text, text.text.length - 1));
}

function pushWords({ text: input }: Segment, { preTokenizer, model }: Stages, tokens: number[]): void {
  const { text, bounds } = preTokenizer.split({ text: input, bounds: Int32Array.of(0, input.text.length) });
  for (let i = 0; i < bounds.length; i += 2) {
    const from = bounds[i] ?? 0;
    const { ids, ends } = model.pieces(text.text.slice(from, bounds[i + 1]));
    let start = from;
    for (let j = 0; j < ids.length; j++) {
      const end = from + (ends[j] ?? 0);
      tokens.push(ids[j] ?? 0, sourceStart(text, start), sourceEnd(text, end - 1));
      start = end;
    }
  }
}

function packTokens(tokens: readonly number[], prefix: number, suffix: number): Encoding {
  const count = tokens.length / 3;
  const ids = new Int32Array(count);
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  const specials = new Uint8Array(count);
  for (let i = 0, j = 0; i < count; i++) {
    ids[i] = tokens[j++] ?? 0;
    starts[i] = tokens[j++] ?? 0;
    ends[i] = tokens[j++] ?? 0;
  }
  specials.fill(1, 0, prefix);
  specials.fill(1, count - suffix);
  return { ids, starts, ends, specials };
}

function readNormalizer(value: unknown): Normalizer {
  if (value === null || value === undefined) return { normalize: (input) => input };
  const config = value as Json;
  if (config["type"] === "BertNormalizer") return bertNormalizer(config);
  throw new EngineError("TOKENIZER", "normaliser is not supported", { got: config["type"] });
}

function readPreTokenizer(value: unknown): PreTokenizer {
  if (value === null || value === undefined) return { split: (input) => input };
  const config = value as Json;
  if (config["type"] === "BertPreTokenizer") return bertPreTokenizer();
  throw new EngineError("TOKENIZER", "pre-tokenizer is not supported", { got: config["type"] });
}

function readModel(value: unknown): Model {
  const config = (value ?? {}) as Json;
  if (config["type"] === "WordPiece") return wordPiece(config);
  throw new EngineError("TOKENIZER", "tokenizer model is not supported", { got: config["type"] });
}

function padTokenOf(config: Json): string {
  const pad = config["pad_token"];
  if (typeof pad === "string") return pad;
  const content = typeof pad === "object" && pad !== null ? (pad as Json)["content"] : undefined;
  return typeof content === "string" ? content : "[PAD]";
}

async function readJson(path: string): Promise<Json> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  } catch (cause) {
    throw new EngineError("TOKENIZER", "tokenizer file cannot be read", { where: path }, { cause });
  }
  throw new EngineError("TOKENIZER", "tokenizer file is not an object", { where: path });
}
