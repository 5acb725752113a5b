/** Normalisers that rewrite a text character by character or by a pattern.
 * Source: https://github.com/huggingface/tokenizers/tree/main/tokenizers/src/normalizers */
import { type AlignedText, alignedBuilder, sliceAligned, sourceEnd, sourceStart } from "./aligned-text.ts";
import { codePointAt, isMark, isWhitespace } from "./characters.ts";
import { flagAt, stringAt } from "./fields.ts";
import { readPattern } from "./patterns.ts";
import type { Json, Normalizer } from "./stages.ts";

const ASCII = /^[\0-\x7f]*$/;
const NEVER = /^(?!)/;

/**
 * The normaliser of `{"type": "Lowercase"}`: character by character, so no final sigma appears.
 * @example
 * lowercase().normalize({ text: "ÀB", base: 0 }).text; // "àb"
 */
export function lowercase(): Normalizer {
  const mapped = mapCharacters((codePoint) => String.fromCodePoint(codePoint).toLowerCase(), NEVER);
  return {
    normalize: (input) =>
      ASCII.test(input.text) ? { ...input, text: input.text.toLowerCase() } : mapped.normalize(input),
  };
}

/**
 * The normaliser of `{"type": "StripAccents"}`: drops marks.
 * @example
 * stripAccents().normalize({ text: "e\u0301", base: 0 }).text; // "e"
 */
export function stripAccents(): Normalizer {
  return mapCharacters((codePoint) => (isMark(codePoint) ? "" : String.fromCodePoint(codePoint)), /^[\0-\u02ff]*$/);
}

/**
 * The normaliser of `{"type": "Nmt"}`: drops control characters, turns rare spaces into plain ones.
 * @example
 * nmt().normalize({ text: "a\u200bb\x01", base: 0 }).text; // "a b"
 */
export function nmt(): Normalizer {
  return mapCharacters((codePoint) => {
    if (isDroppedByNmt(codePoint)) return "";
    return isSpaceOfNmt(codePoint) ? " " : String.fromCodePoint(codePoint);
  }, /^[\x20-\x7e]*$/);
}

const isDroppedByNmt = (c: number): boolean =>
  (c >= 0x1 && c <= 0x8) || c === 0xb || (c >= 0xe && c <= 0x1f) || c === 0x7f || c === 0x8f || c === 0x9f;

const SPACES_OF_NMT = new Set([0x9, 0xa, 0xc, 0xd, 0x1680, 0x2028, 0x2029, 0x2581, 0xfeff, 0xfffd]);
const isSpaceOfNmt = (c: number): boolean => (c >= 0x200b && c <= 0x200f) || SPACES_OF_NMT.has(c);

/** Texts that `unchanged` matches are passed on as they are. */
function mapCharacters(rewrite: (codePoint: number) => string, unchanged: RegExp): Normalizer {
  return {
    normalize(input) {
      if (unchanged.test(input.text)) return input;
      const out = alignedBuilder(input.text.length + 16);
      for (let at = 0; at < input.text.length; ) {
        const codePoint = codePointAt(input.text, at);
        const next = codePoint > 0xffff ? at + 2 : at + 1;
        out.push(rewrite(codePoint), sourceStart(input, at), sourceEnd(input, next - 1));
        at = next;
      }
      return out.finish();
    },
  };
}

/**
 * The normaliser of a `{"type": "Strip", …}` entry: drops white space at the ends.
 * @throws EngineError TOKENIZER when an option is not a boolean.
 * @example
 * strip({ strip_left: true, strip_right: false }, "normalizer").normalize({ text: " a ", base: 0 }).text; // "a "
 */
export function strip(config: Json, where: string): Normalizer {
  const left = flagAt(config, "strip_left", { where, fallback: true });
  const right = flagAt(config, "strip_right", { where, fallback: true });
  return {
    normalize(input) {
      let from = 0;
      let to = input.text.length;
      while (left && from < to && isWhitespace(input.text.charCodeAt(from))) from += 1;
      while (right && to > from && isWhitespace(input.text.charCodeAt(to - 1))) to -= 1;
      return to - from === input.text.length ? input : sliceAligned(input, from, to);
    },
  };
}

/**
 * The normaliser of a `{"type": "Prepend", …}` entry; what it puts there stands for the text's first character.
 * @throws EngineError TOKENIZER without its string.
 * @example
 * prepend({ prepend: "▁" }, "normalizer").normalize({ text: "a", base: 0 }).text; // "▁a"
 */
export function prepend(config: Json, where: string): Normalizer {
  const piece = stringAt(config, "prepend", where);
  return { normalize: (input) => (input.text === "" ? input : prepended(input, piece)) };
}

/**
 * An aligned text with `piece` before it.
 * @example
 * prepended({ text: "a", base: 0 }, "▁").text; // "▁a"
 */
export function prepended(input: AlignedText, piece: string): AlignedText {
  const out = alignedBuilder(input.text.length + piece.length);
  const last = codePointAt(input.text, 0) > 0xffff ? 1 : 0;
  out.push(piece, sourceStart(input, 0), sourceEnd(input, last));
  out.copy(input, 0, input.text.length);
  return out.finish();
}

/**
 * The normaliser of a `{"type": "Replace", …}` entry; what replaces a match stands for the match's last character.
 * @throws EngineError TOKENIZER when the pattern cannot be read.
 * @example
 * replace({ pattern: { Regex: " {2,}" }, content: " " }, "normalizer").normalize({ text: "a  b", base: 0 }).text; // "a b"
 */
export function replace(config: Json, where: string): Normalizer {
  const pattern = readPattern(config["pattern"], `${where}.pattern`);
  const content = stringAt(config, "content", where);
  return {
    normalize(input) {
      const { text } = input;
      let done = 0;
      let out: ReturnType<typeof alignedBuilder> | undefined;
      for (const match of text.matchAll(pattern)) {
        out ??= alignedBuilder(text.length);
        const end = match.index + match[0].length;
        out.copy(input, done, match.index);
        const last = lastCharacter(text, end);
        out.push(content, sourceStart(input, last), sourceEnd(input, Math.max(0, end - 1)));
        done = end;
      }
      if (!out) return input;
      out.copy(input, done, text.length);
      return out.finish();
    },
  };
}

/** Where the character before unit `end` begins. */
function lastCharacter(text: string, end: number): number {
  return end >= 2 && codePointAt(text, end - 2) > 0xffff ? end - 2 : Math.max(0, end - 1);
}
