/** The four stages of a tokenizer, as the Hugging Face `tokenizer.json` names them. A stage is one file that makes one of these. */
import type { AlignedText } from "./aligned-text.ts";

/** Rewrites a text, keeping track of where each unit came from. */
export interface Normalizer {
  normalize(input: AlignedText): AlignedText;
}

/** A text cut into words: word `i` is `[bounds[2i], bounds[2i+1])` in units of `text.text`, never empty. */
export interface Words {
  readonly text: AlignedText;
  readonly bounds: Int32Array;
}

/** Cuts words further; some also rewrite the text. */
export interface PreTokenizer {
  split(input: Words): Words;
}

/**
 * Pieces of one word, in order: piece `i` has `ids[i]` and ends at unit `ends[i]` of the word.
 * Without `starts` each begins where the one before it ends; bytes of one character all have its start and end.
 */
export interface Pieces {
  readonly ids: readonly number[];
  readonly ends: readonly number[];
  readonly starts?: readonly number[];
}

/** The vocabulary: one word to pieces. */
export interface Model {
  readonly vocabSize: number;
  idOf(token: string): number | undefined;
  pieces(word: string): Pieces;
}

/** Cuts spaces off the offsets of a byte-level token. */
export interface OffsetTrim {
  /** The one leading space of a token at the start of the text was put there, so nothing is cut for it. */
  readonly addsPrefixSpace: boolean;
}

/** The special ids that are put round one sequence, and what is done to offsets before. */
export interface PostProcessor {
  readonly prefixIds: readonly number[];
  readonly suffixIds: readonly number[];
  readonly trims: readonly OffsetTrim[];
}

/** A JSON object as read from a tokenizer file. */
export type Json = Readonly<Record<string, unknown>>;
