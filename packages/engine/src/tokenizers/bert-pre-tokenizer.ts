/** BERT's pre-tokenizer: words are separated by white space, and every punctuation mark is a word of its own.
 * Source: https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/pre_tokenizers/bert.rs */
import { isPunctuation, isWhitespace } from "./characters.ts";
import type { PreTokenizer } from "./stages.ts";

/**
 * The pre-tokenizer of a `{"type": "BertPreTokenizer"}` entry.
 * @example
 * bertPreTokenizer().split({ text: { text: "hi you!", base: 0 }, bounds: Int32Array.of(0, 7) }).bounds; // 0,2, 3,6, 6,7
 */
export function bertPreTokenizer(): PreTokenizer {
  let scratch = new Int32Array(256);
  return {
    split({ text, bounds }) {
      if (scratch.length < 2 * text.text.length + 2) scratch = new Int32Array(4 * text.text.length);
      let count = 0;
      for (let i = 0; i < bounds.length; i += 2) {
        count = splitOne(text.text, bounds[i] ?? 0, bounds[i + 1] ?? 0, scratch, count);
      }
      const result = scratch.slice(0, count);
      if (scratch.length > 65_536) scratch = new Int32Array(256); // one long text must not hold memory for ever
      return { text, bounds: result };
    },
  };
}

function splitOne(text: string, from: number, to: number, out: Int32Array, at: number): number {
  let count = at;
  let wordStart = -1;
  for (let i = from; i < to; ) {
    let codePoint = text.charCodeAt(i);
    let next = i + 1;
    if (codePoint >= 0xd800 && codePoint < 0xdc00) {
      codePoint = text.codePointAt(i) ?? codePoint;
      if (codePoint > 0xffff) next = i + 2;
    }
    const isMark = isPunctuation(codePoint);
    if (isMark || isWhitespace(codePoint)) {
      if (wordStart >= 0) {
        out[count++] = wordStart;
        out[count++] = i;
        wordStart = -1;
      }
      if (isMark) {
        out[count++] = i;
        out[count++] = next;
      }
    } else if (wordStart < 0) {
      wordStart = i;
    }
    i = next;
  }
  if (wordStart >= 0) {
    out[count++] = wordStart;
    out[count++] = to;
  }
  return count;
}
