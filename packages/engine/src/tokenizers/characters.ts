/** Character classes of the tokenizers, looked up once per code point and then remembered in two tables. */

const WHITESPACE = 1;
const PUNCTUATION = 2;
const CONTROL = 4;
const CHINESE = 8;
const LETTER = 16;
const NUMBER = 32;
const MARK = 64;
const KNOWN = 128;
const MAX_ASTRAL = 0x1_0000;
const bmp = new Uint8Array(0x1_0000);
const astral = new Map<number, number>();

/**
 * Is it white space (Unicode White_Space)?
 * @example
 * isWhitespace(0x20); // true
 */
export const isWhitespace = (codePoint: number): boolean => (classOf(codePoint) & WHITESPACE) !== 0;

/**
 * Is it ASCII punctuation or of a Unicode P category?
 * @example
 * isPunctuation(0x24); // true: "$" counts, as in BERT
 */
export const isPunctuation = (codePoint: number): boolean => (classOf(codePoint) & PUNCTUATION) !== 0;

/**
 * Is it a control, format, private-use or surrogate code point (tab and line breaks excepted)?
 * @example
 * isControl(0x200b); // true: zero-width space
 */
export const isControl = (codePoint: number): boolean => (classOf(codePoint) & CONTROL) !== 0;

/**
 * Is it an ideograph that BERT puts spaces around?
 * @example
 * isChinese(0x4e00); // true
 */
export const isChinese = (codePoint: number): boolean => (classOf(codePoint) & CHINESE) !== 0;

/**
 * Is it a letter (Unicode L)?
 * @example
 * isLetter(0x4e00); // true
 */
export const isLetter = (codePoint: number): boolean => (classOf(codePoint) & LETTER) !== 0;

/**
 * Is it a number (Unicode N)?
 * @example
 * isNumber(0xbd); // true: one half
 */
export const isNumber = (codePoint: number): boolean => (classOf(codePoint) & NUMBER) !== 0;

/**
 * Is it a mark (Unicode M), such as a combining accent?
 * @example
 * isMark(0x301); // true
 */
export const isMark = (codePoint: number): boolean => (classOf(codePoint) & MARK) !== 0;

/**
 * The code point at unit `index`; a lone surrogate is one by itself, past the end it is −1.
 * @example
 * codePointAt("😀", 0); // 0x1f600
 */
export function codePointAt(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  return unit >= 0xd800 && unit < 0xdc00 ? (text.codePointAt(index) ?? -1) : unit >= 0 ? unit : -1;
}

function classOf(codePoint: number): number {
  if (codePoint < 0x1_0000) {
    const known = bmp[codePoint] ?? 0;
    if (known !== 0) return known;
    const found = classify(codePoint) | KNOWN;
    bmp[codePoint] = found;
    return found;
  }
  let found = astral.get(codePoint);
  if (found === undefined) {
    if (astral.size >= MAX_ASTRAL) astral.clear();
    found = classify(codePoint);
    astral.set(codePoint, found);
  }
  return found;
}

function classify(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  let found = 0;
  if (/^[\p{White_Space}]$/u.test(character)) found |= WHITESPACE;
  if (/^[!-/:-@[-`{-~\p{P}]$/u.test(character)) found |= PUNCTUATION;
  if (/^[\p{Cc}\p{Cf}\p{Co}\p{Cs}]$/u.test(character) && !/^[\t\n\r]$/.test(character)) found |= CONTROL;
  if (isIdeograph(codePoint)) found |= CHINESE;
  if (/^\p{L}$/u.test(character)) found |= LETTER;
  else if (/^\p{N}$/u.test(character)) found |= NUMBER;
  else if (/^\p{M}$/u.test(character)) found |= MARK;
  return found;
}

/** The ranges of the Rust implementation (normalizers/bert.rs), kept as they are there. */
function isIdeograph(c: number): boolean {
  return (
    (c >= 0x4e00 && c <= 0x9fff) ||
    (c >= 0x3400 && c <= 0x4dbf) ||
    (c >= 0x20000 && c <= 0x2a6df) ||
    (c >= 0x2a700 && c <= 0x2b73f) ||
    (c >= 0x2b740 && c <= 0x2b81f) ||
    (c >= 0x2b920 && c <= 0x2ceaf) ||
    (c >= 0xf900 && c <= 0xfaff) ||
    (c >= 0x2f800 && c <= 0x2fa1f)
  );
}
