/** Reads the token → id table of a tokenizer file. */
import { EngineError } from "../error.ts";

const MAX_ID = 2 ** 24;

/**
 * Can this be a token id: a small non-negative integer?
 * @example
 * isTokenId(-1); // false
 */
export function isTokenId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_ID;
}

/**
 * A checked vocabulary.
 * @throws EngineError TOKENIZER unless it is an object of small non-negative integers.
 * @example
 * readVocabulary({ a: 0 }).get("a"); // 0
 */
export function readVocabulary(value: unknown): Map<string, number> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new EngineError("TOKENIZER", "the vocabulary is not an object of token ids", { where: "model.vocab" });
  }
  const vocabulary = new Map<string, number>();
  for (const [token, id] of Object.entries(value)) {
    if (!isTokenId(id)) {
      throw new EngineError("TOKENIZER", "a token id is not a small integer", {
        where: `model.vocab: ${token}`,
        got: id,
      });
    }
    vocabulary.set(token, id);
  }
  return vocabulary;
}

/**
 * The ids of the 256 tokens `<0x00>` to `<0xFF>`, which stand for the bytes of unknown characters.
 * @example
 * byteTokens((token) => (token === "<0x0A>" ? 3 : undefined))[10]; // 3
 */
export function byteTokens(idOf: (token: string) => number | undefined): (number | undefined)[] {
  return Array.from({ length: 256 }, (_, byte) => idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`));
}
