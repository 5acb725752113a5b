/** Byte-level texts, as in GPT-2: every UTF-8 byte is one printable character, so no character is unknown.
 * Source: https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/pre_tokenizers/byte_level.rs */
import { type AlignedBuilder, type AlignedText, alignedBuilder, sourceEnd, sourceStart } from "./aligned-text.ts";
import { codePointAt, isLetter, isNumber, isWhitespace } from "./characters.ts";
import { flagAt } from "./fields.ts";
import type { Json, Normalizer, PreTokenizer, Words } from "./stages.ts";

/** What a space becomes. */
export const BYTE_SPACE = "\u0120";

const ASCII = /^[\0-\x7f]*$/;
const UNPRINTABLE = /[^!-~\u0120]/g;
/** Byte → the character that stands for it. */
const characterOf: readonly string[] = byteCharacters();

/**
 * The normaliser of a `{"type": "ByteLevel"}` entry: writes a text in the byte alphabet.
 * @example
 * byteLevelNormalizer().normalize({ text: "é", base: 0 }).text; // "Ã©"
 */
export function byteLevelNormalizer(): Normalizer {
  return {
    normalize(input) {
      if (ASCII.test(input.text)) return { ...input, text: asciiBytes(input.text) };
      const out = alignedBuilder(input.text.length * 2);
      pushBytes(out, input, [0, input.text.length]);
      return out.finish();
    },
  };
}

/**
 * The pre-tokenizer of a `{"type": "ByteLevel", …}` entry: cuts a text as GPT-2 does, then writes it in the byte alphabet.
 * @throws EngineError TOKENIZER when an option is not a boolean.
 * @example
 * byteLevelPreTokenizer({ add_prefix_space: false }, "pre_tokenizer");
 */
export function byteLevelPreTokenizer(config: Json, where: string): PreTokenizer {
  const addsPrefixSpace = flagAt(config, "add_prefix_space", { where, fallback: true });
  const cuts = flagAt(config, "use_regex", { where, fallback: true });
  return {
    split(input) {
      const spaced = addsPrefixSpace ? withPrefixSpaces(input) : input;
      return inBytes(cuts ? cutLikeGpt2(spaced) : spaced);
    },
  };
}

/** Puts a space before every word that lacks one; it stands for the same source as the word's first character. */
function withPrefixSpaces(input: Words): Words {
  const { text, bounds } = input;
  let isComplete = true;
  for (let i = 0; i < bounds.length; i += 2) if (text.text.charCodeAt(bounds[i] ?? 0) !== 0x20) isComplete = false;
  if (isComplete) return input;
  const out = alignedBuilder(text.text.length + bounds.length);
  const moved = new Int32Array(bounds.length);
  for (let i = 0; i < bounds.length; i += 2) {
    const from = bounds[i] ?? 0;
    const to = bounds[i + 1] ?? 0;
    moved[i] = out.length;
    if (text.text.charCodeAt(from) !== 0x20) {
      const last = codePointAt(text.text, from) > 0xffff ? from + 1 : from;
      out.push(" ", sourceStart(text, from), sourceEnd(text, last));
    }
    out.copy(text, from, to);
    moved[i + 1] = out.length;
  }
  return { text: out.finish(), bounds: moved };
}

function inBytes({ text, bounds }: Words): Words {
  if (ASCII.test(text.text)) return { text: { ...text, text: asciiBytes(text.text) }, bounds };
  const out = alignedBuilder(text.text.length * 2);
  const moved = new Int32Array(bounds.length);
  for (let i = 0; i < bounds.length; i += 2) {
    moved[i] = out.length;
    pushBytes(out, text, [bounds[i] ?? 0, bounds[i + 1] ?? 0]);
    moved[i + 1] = out.length;
  }
  return { text: out.finish(), bounds: moved };
}

function asciiBytes(text: string): string {
  return text.replaceAll(" ", BYTE_SPACE).replace(UNPRINTABLE, (unit) => characterOf[unit.charCodeAt(0)] ?? "");
}

function pushBytes(out: AlignedBuilder, input: AlignedText, [from, to]: readonly [number, number]): void {
  for (let i = from; i < to; ) {
    const codePoint = codePointAt(input.text, i);
    const next = codePoint > 0xffff ? i + 2 : i + 1;
    out.push(bytesOf(codePoint), sourceStart(input, i), sourceEnd(input, next - 1));
    i = next;
  }
}

/** The UTF-8 bytes of a code point in the byte alphabet; a lone surrogate is U+FFFD. */
function bytesOf(codePoint: number): string {
  const byte = (value: number): string => characterOf[value] ?? "";
  const tail = (shift: number): string => byte(0x80 | ((codePoint >> shift) & 0x3f));
  if (codePoint < 0x80) return byte(codePoint);
  if (codePoint < 0x800) return byte(0xc0 | (codePoint >> 6)) + tail(0);
  if (codePoint >= 0xd800 && codePoint < 0xe000) return bytesOf(0xfffd);
  if (codePoint < 0x1_0000) return byte(0xe0 | (codePoint >> 12)) + tail(6) + tail(0);
  return byte(0xf0 | (codePoint >> 18)) + tail(12) + tail(6) + tail(0);
}

function byteCharacters(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(isPrintable ? byte : next++);
  });
}

/** GPT-2's pattern by hand: 's 't 're 've 'm 'll 'd, or letters, numbers or others with a space before, or white space. */
function cutLikeGpt2({ text, bounds }: Words): Words {
  const out: number[] = [];
  for (let i = 0; i < bounds.length; i += 2) {
    const to = bounds[i + 1] ?? 0;
    for (let at = bounds[i] ?? 0; at < to; ) {
      const end = endOfGpt2Word(text.text, at, to);
      out.push(at, end);
      at = end;
    }
  }
  return { text, bounds: Int32Array.from(out) };
}

function endOfGpt2Word(text: string, at: number, to: number): number {
  const first = text.charCodeAt(at);
  if (first === 0x27) {
    const suffix = /^(?:[stmd]|re|ve|ll)/.exec(text.slice(at + 1, Math.min(to, at + 3)));
    if (suffix) return at + 1 + suffix[0].length;
  }
  const from = first === 0x20 && at + 1 < to ? at + 1 : at;
  const codePoint = codePointAt(text, from);
  if (!isWhitespace(codePoint)) return endOfRun(text, [from, to], kindOf(codePoint));
  const end = endOfRun(text, [at, to], isWhitespace);
  return end < to && end > at + 1 ? end - 1 : end;
}

function kindOf(codePoint: number): (codePoint: number) => boolean {
  if (isLetter(codePoint)) return isLetter;
  return isNumber(codePoint) ? isNumber : isOther;
}

const isOther = (codePoint: number): boolean =>
  !isWhitespace(codePoint) && !isLetter(codePoint) && !isNumber(codePoint);

function endOfRun(
  text: string,
  [from, to]: readonly [number, number],
  belongs: (codePoint: number) => boolean,
): number {
  let at = from;
  while (at < to) {
    const codePoint = codePointAt(text, at);
    if (!belongs(codePoint)) break;
    at += codePoint > 0xffff ? 2 : 1;
  }
  return at;
}
