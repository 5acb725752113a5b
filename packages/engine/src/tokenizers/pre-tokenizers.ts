/** Makes the pre-tokenizer that a tokenizer file describes.
 * Source: https://github.com/huggingface/tokenizers/tree/main/tokenizers/src/pre_tokenizers */
import { EngineError } from "../error.ts";
import { bertPreTokenizer } from "./bert-pre-tokenizer.ts";
import { byteLevelPreTokenizer } from "./byte-level.ts";
import { isNumber, isPunctuation, isWhitespace } from "./characters.ts";
import { flagAt, listAt, objectAt, optionalStringAt, stringAt } from "./fields.ts";
import { metaspace } from "./metaspace.ts";
import { readPattern } from "./patterns.ts";
import { charactersOf, matchesOf, SPLIT_BEHAVIOURS, type SplitBehaviour, splitAt } from "./split.ts";
import type { Json, PreTokenizer } from "./stages.ts";

const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;

/**
 * The pre-tokenizer of a `pre_tokenizer` entry; null is the one that cuts nothing.
 * @throws EngineError TOKENIZER naming the part that is unknown or damaged.
 * @example
 * readPreTokenizer({ type: "WhitespaceSplit" }).split({ text: { text: "a b", base: 0 }, bounds: Int32Array.of(0, 3) });
 */
export function readPreTokenizer(value: unknown, where = "pre_tokenizer"): PreTokenizer {
  if (value === null || value === undefined) return { split: (input) => input };
  const config = objectAt(value, where);
  const type = config["type"];
  switch (type) {
    case "Sequence":
      return sequence(config, where);
    case "BertPreTokenizer":
      return bertPreTokenizer();
    case "ByteLevel":
      return byteLevelPreTokenizer(config, where);
    case "Metaspace":
      return metaspace(config, where);
    case "Whitespace":
      return splitAt(matchesOf(WORDS), { behaviour: "Removed", inverted: true });
    case "WhitespaceSplit":
      return splitAt(charactersOf(isWhitespace), { behaviour: "Removed", inverted: false });
    case "Punctuation":
      return splitAt(charactersOf(isPunctuation), { behaviour: behaviourOf(config, where), inverted: false });
    case "Digits":
      return digits(config, where);
    case "Split":
      return splitAt(matchesOf(readPattern(config["pattern"], `${where}.pattern`)), {
        behaviour: behaviourOf(config, where),
        inverted: flagAt(config, "invert", { where, fallback: false }),
      });
    case "CharDelimiterSplit":
      return delimiter(config, where);
    default:
      throw new EngineError("TOKENIZER", "pre-tokenizer is not supported", { where, got: type });
  }
}

function sequence(config: Json, where: string): PreTokenizer {
  const parts = listAt(config, "pretokenizers", where).map((part, i) =>
    readPreTokenizer(part, `${where}.pretokenizers[${i}]`),
  );
  return { split: (input) => parts.reduce((words, part) => part.split(words), input) };
}

function digits(config: Json, where: string): PreTokenizer {
  const isSingle = flagAt(config, "individual_digits", { where, fallback: false });
  return splitAt(charactersOf(isNumber), { behaviour: isSingle ? "Isolated" : "Contiguous", inverted: false });
}

function delimiter(config: Json, where: string): PreTokenizer {
  const sign = stringAt(config, "delimiter", where).codePointAt(0);
  return splitAt(
    charactersOf((codePoint) => codePoint === sign),
    { behaviour: "Removed", inverted: false },
  );
}

function behaviourOf(config: Json, where: string): SplitBehaviour {
  const name = optionalStringAt(config, "behavior", where) ?? "Isolated";
  const found = SPLIT_BEHAVIOURS.find(
    (behaviour) => behaviour.toLowerCase() === name.toLowerCase().replaceAll("_", ""),
  );
  if (found) return found;
  throw new EngineError("TOKENIZER", "split behaviour is not supported", { where: `${where}.behavior`, got: name });
}
