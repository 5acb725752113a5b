/** WordPiece: each word is cut greedily into the longest pieces of the vocabulary, or is unknown as a whole.
 * Source: https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/models/wordpiece/mod.rs */
import { EngineError } from "../error.ts";
import type { Json, Model, Pieces } from "./stages.ts";
import { readVocabulary } from "./vocabulary.ts";
import { remembered } from "./word-cache.ts";

/**
 * The model of a `{"type": "WordPiece", …}` entry. Words met before are answered from a bounded cache.
 * @throws EngineError TOKENIZER when the vocabulary is damaged or lacks the unknown token.
 * @example
 * wordPiece({ vocab: { "[UNK]": 0, un: 1, "##do": 2 } }).pieces("undo"); // ids 1, 2; ends 2, 4
 */
export function wordPiece(config: Json): Model {
  const vocabulary = readVocabulary(config["vocab"]);
  const prefix = typeof config["continuing_subword_prefix"] === "string" ? config["continuing_subword_prefix"] : "##";
  const unknownToken = typeof config["unk_token"] === "string" ? config["unk_token"] : "[UNK]";
  const limit = typeof config["max_input_chars_per_word"] === "number" ? config["max_input_chars_per_word"] : 100;
  const unknownId = vocabulary.get(unknownToken);
  if (unknownId === undefined) {
    throw new EngineError("TOKENIZER", "the vocabulary lacks its unknown token", {
      where: "model.unk_token",
      expected: unknownToken,
    });
  }
  const continuing = new Map<string, number>();
  let longest = 1;
  let vocabSize = 0;
  for (const [token, id] of vocabulary) {
    longest = Math.max(longest, token.length);
    vocabSize = Math.max(vocabSize, id + 1);
    if (token.startsWith(prefix)) continuing.set(token.slice(prefix.length), id);
  }
  const cut = (word: string): Pieces => {
    const unknown = { ids: [unknownId], ends: [word.length] };
    if (word.length > limit && codePoints(word) > limit) return unknown;
    return cutGreedily(word, vocabulary, continuing, longest) ?? unknown;
  };
  return { vocabSize, idOf: (token) => vocabulary.get(token), pieces: remembered(cut) };
}

type Lookup = ReadonlyMap<string, number>;

function cutGreedily(word: string, initial: Lookup, continuing: Lookup, longest: number): Pieces | undefined {
  const ids: number[] = [];
  const ends: number[] = [];
  let start = 0;
  while (start < word.length) {
    const pieces = start === 0 ? initial : continuing;
    let end = Math.min(word.length, start + longest);
    let id: number | undefined;
    for (; end > start; end--) {
      if (isInsidePair(word, end)) continue;
      id = pieces.get(word.slice(start, end));
      if (id !== undefined) break;
    }
    if (id === undefined) return undefined;
    ids.push(id);
    ends.push(end);
    start = end;
  }
  return { ids, ends };
}

function isInsidePair(word: string, at: number): boolean {
  const unit = word.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff && (word.codePointAt(at - 1) ?? 0) > 0xffff;
}

function codePoints(word: string): number {
  let count = 0;
  for (let i = 0; i < word.length; i++) if (!isInsidePair(word, i)) count += 1;
  return count;
}
