/** WordLevel: a word is in the vocabulary, or it is unknown.
 * Source: https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/models/wordlevel/mod.rs */
import { EngineError } from "../error.ts";
import { optionalStringAt } from "./fields.ts";
import type { Json, Model } from "./stages.ts";
import { readVocabulary } from "./vocabulary.ts";

/**
 * The model of a `{"type": "WordLevel", …}` entry.
 * @throws EngineError TOKENIZER when the vocabulary is damaged or lacks the unknown token.
 * @example
 * wordLevel({ vocab: { "<unk>": 0, hello: 1 }, unk_token: "<unk>" }).pieces("hello").ids; // 1
 */
export function wordLevel(config: Json): Model {
  const vocabulary = readVocabulary(config["vocab"]);
  const unknownToken = optionalStringAt(config, "unk_token", "model") ?? "<unk>";
  const unknownId = vocabulary.get(unknownToken);
  if (unknownId === undefined) {
    throw new EngineError("TOKENIZER", "the vocabulary lacks its unknown token", {
      where: "model.unk_token",
      expected: unknownToken,
    });
  }
  let vocabSize = 0;
  for (const id of vocabulary.values()) vocabSize = Math.max(vocabSize, id + 1);
  return {
    vocabSize,
    idOf: (token) => vocabulary.get(token),
    pieces: (word) => ({ ids: [vocabulary.get(word) ?? unknownId], ends: [word.length] }),
  };
}
