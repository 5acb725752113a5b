/** The four stages of a tokenizer, as the Hugging Face `tokenizer.json` names them. A stage is one file that makes one of these. */
import type { AlignedText } from "./aligned-text.ts";

/** Rewrites a text, keeping track of where each unit came from. */
export interface Normalizer {
  normalize(input: AlignedText): AlignedText;
}

/** A text cut into words: word `i` is `[bounds[2i], bounds[2i+1])` in units of `text.text`. */
export interface Words {
  readonly text: AlignedText;
  readonly bounds: Int32Array;
}

/** Cuts words further; a byte-level one also rewrites the text. */
export interface PreTokenizer {
  split(input: Words): Words;
}

/** Pieces of one word, in order and without gaps: piece `i` has `ids[i]` and ends at unit `ends[i]` of the word. */
export interface Pieces {
  readonly ids: readonly number[];
  readonly ends: readonly number[];
}

/** The vocabulary: one word to pieces. */
export interface Model {
  readonly vocabSize: number;
  idOf(token: string): number | undefined;
  pieces(word: string): Pieces;
}

/** The special ids that are put round one sequence. */
export interface PostProcessor {
  readonly prefixIds: readonly number[];
  readonly suffixIds: readonly number[];
}

/** A JSON object as read from a tokenizer file. */
export type Json = Readonly<Record<string, unknown>>;
