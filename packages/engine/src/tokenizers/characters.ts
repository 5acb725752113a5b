/** Character classes of BERT's tokenizer, looked up once per code point and then remembered in two small tables. */

const WHITESPACE = 1;
const PUNCTUATION = 2;
const CONTROL = 4;
const CHINESE = 8;
const KNOWN = 128;
const bmp = new Uint8Array(0x1_0000);

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

function classOf(codePoint: number): number {
  if (codePoint > 0xffff) return classify(codePoint);
  const known = bmp[codePoint] ?? 0;
  if (known !== 0) return known;
  const found = classify(codePoint) | KNOWN;
  bmp[codePoint] = found;
  return found;
}

function classify(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  let found = 0;
  if (/^[\p{White_Space}]$/u.test(character)) found |= WHITESPACE;
  if (/^[!-/:-@[-`{-~\p{P}]$/u.test(character)) found |= PUNCTUATION;
  if (/^[\p{Cc}\p{Cf}\p{Co}\p{Cs}]$/u.test(character) && !/^[\t\n\r]$/.test(character)) found |= CONTROL;
  if (isIdeograph(codePoint)) found |= CHINESE;
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
