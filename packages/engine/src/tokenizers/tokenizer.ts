/** A tokenizer read from a Hugging Face `tokenizer.json`, with offsets through every stage. */
import { type AddedTokenSplitter, addedTokenSplitter, readAddedTokens, type Segment } from "./added-tokens.ts";
import { type AlignedText, sourceEnd, sourceStart } from "./aligned-text.ts";
import { readModel } from "./models.ts";
import { readNormalizer } from "./normalizers.ts";
import { readPostProcessor } from "./post-processors.ts";
import { readPreTokenizer } from "./pre-tokenizers.ts";
import type { Json, Model, Normalizer, OffsetTrim, PreTokenizer } from "./stages.ts";
import { trimSpan } from "./trim.ts";

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
 * A tokenizer from the parsed contents of its two files.
 * @throws EngineError TOKENIZER as `loadTokenizer`.
 * @example
 * createTokenizer({ model: { type: "WordPiece", vocab: { "[UNK]": 0 } } }).encode("a").ids; // 0
 */
export function createTokenizer(json: Json, config: Json = {}): Tokenizer {
  const normalizer = readNormalizer(json["normalizer"]);
  const preTokenizer = readPreTokenizer(json["pre_tokenizer"]);
  const model = readModel(json["model"]);
  const { prefixIds, suffixIds, trims } = readPostProcessor(json["post_processor"]);
  const added = readAddedTokens(json["added_tokens"]);
  const splitRaw = addedTokenSplitter(added.filter(({ isNormalized }) => !isNormalized));
  const splitNormalized = addedTokenSplitter(
    added.filter(({ isNormalized }) => isNormalized),
    normalizer,
  );
  const stages: Stages = { normalizer, preTokenizer, model, splitRaw, splitNormalized, trims };
  const largestAdded = added.reduce((largest, { id }) => Math.max(largest, id), -1);
  const idOf = (token: string): number | undefined =>
    added.find(({ content }) => content === token)?.id ?? model.idOf(token);
  return {
    vocabSize: Math.max(model.vocabSize, largestAdded + 1),
    padId:
      paddingOf(json) ??
      padTokensOf(config)
        .map(idOf)
        .find((id) => id !== undefined) ??
      0,
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
  readonly trims: readonly OffsetTrim[];
}

function encodeText(
  text: string,
  stages: Stages,
  prefixIds: readonly number[],
  suffixIds: readonly number[],
): Encoding {
  const tokens: number[] = []; // id, start, end
  const push = tokenSink(tokens, text, stages.trims);
  for (const raw of stages.splitRaw({ text, base: 0 })) {
    if (raw.tokenId !== undefined) pushAdded(raw, push);
    else {
      for (const segment of stages.splitNormalized(stages.normalizer.normalize(raw.text))) {
        if (segment.tokenId !== undefined) pushAdded(segment, push);
        else if (segment.text.text !== "") pushWords(segment.text, stages, push);
      }
    }
  }
  return packTokens(tokens, prefixIds, suffixIds);
}

/** Takes a token: its id, and the part of the rewritten text it stands for. */
type TokenSink = (id: number, text: AlignedText, part: { start: number; end: number }) => void;

function tokenSink(tokens: number[], source: string, trims: readonly OffsetTrim[]): TokenSink {
  if (trims.length === 0) {
    return (id, text, { start, end }) => void tokens.push(id, sourceStart(text, start), sourceEnd(text, end - 1));
  }
  return (id, text, part) => {
    const [start, end] = trimSpan(
      {
        token: text.text.slice(part.start, part.end),
        start: sourceStart(text, part.start),
        end: sourceEnd(text, part.end - 1),
        isFirst: tokens.length === 0,
      },
      source,
      trims,
    );
    tokens.push(id, start, end);
  };
}

function pushAdded({ text, tokenId = 0 }: Segment, push: TokenSink): void {
  push(tokenId, text, { start: 0, end: text.text.length });
}

function pushWords(input: AlignedText, { preTokenizer, model }: Stages, push: TokenSink): void {
  const { text, bounds } = preTokenizer.split({ text: input, bounds: Int32Array.of(0, input.text.length) });
  const part = { start: 0, end: 0 };
  for (let i = 0; i < bounds.length; i += 2) {
    const from = bounds[i] ?? 0;
    const { ids, starts, ends } = model.pieces(text.text.slice(from, bounds[i + 1]));
    part.end = from;
    for (let j = 0; j < ids.length; j++) {
      part.start = starts ? from + (starts[j] ?? 0) : part.end;
      part.end = from + (ends[j] ?? 0);
      push(ids[j] ?? 0, text, part);
    }
  }
}

/** Specials round the tokens; theirs are the offsets 0, 0. */
function packTokens(tokens: readonly number[], prefix: readonly number[], suffix: readonly number[]): Encoding {
  const inner = tokens.length / 3;
  const count = prefix.length + inner + suffix.length;
  const ids = new Int32Array(count);
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  const specials = new Uint8Array(count);
  ids.set(prefix, 0);
  specials.fill(1, 0, prefix.length);
  for (let i = prefix.length, j = 0; j < tokens.length; i++) {
    ids[i] = tokens[j++] ?? 0;
    starts[i] = tokens[j++] ?? 0;
    ends[i] = tokens[j++] ?? 0;
  }
  ids.set(suffix, prefix.length + inner);
  specials.fill(1, prefix.length + inner);
  return { ids, starts, ends, specials };
}

function paddingOf(json: Json): number | undefined {
  const id = (json["padding"] as Json | null | undefined)?.["pad_id"];
  return typeof id === "number" ? id : undefined;
}

/** The padding token that the configuration names, else those that are usual. */
function padTokensOf(config: Json): string[] {
  const pad = config["pad_token"];
  if (typeof pad === "string") return [pad];
  const content = typeof pad === "object" && pad !== null ? (pad as Json)["content"] : undefined;
  return typeof content === "string" ? [content] : ["[PAD]", "<pad>"];
}
