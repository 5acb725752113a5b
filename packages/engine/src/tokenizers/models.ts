/** Makes the model that a tokenizer file describes. */
import { EngineError } from "../error.ts";
import { bpe } from "./bpe.ts";
import { objectAt } from "./fields.ts";
import type { Json, Model } from "./stages.ts";
import { unigram } from "./unigram.ts";
import { wordLevel } from "./word-level.ts";
import { wordPiece } from "./word-piece.ts";

/**
 * The model of a `model` entry. Files older than the `type` field are told by what they hold.
 * @throws EngineError TOKENIZER naming the part that is unknown or damaged.
 * @example
 * readModel({ type: "WordLevel", vocab: { "<unk>": 0 }, unk_token: "<unk>" }).vocabSize; // 1
 */
export function readModel(value: unknown): Model {
  const config = objectAt(value, "model");
  const type = config["type"] ?? guess(config);
  switch (type) {
    case "WordPiece":
      return wordPiece(config);
    case "BPE":
      return bpe(config);
    case "Unigram":
      return unigram(config);
    case "WordLevel":
      return wordLevel(config);
    default:
      throw new EngineError("TOKENIZER", "tokenizer model is not supported", { where: "model.type", got: type });
  }
}

function guess(config: Json): string | undefined {
  if (Array.isArray(config["merges"])) return "BPE";
  if (Array.isArray(config["vocab"])) return "Unigram";
  return config["continuing_subword_prefix"] === undefined ? undefined : "WordPiece";
}
