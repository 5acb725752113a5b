/** Hashed n-grams of a text: character 3- to 5-grams and word 1- to 2-grams, with the places they stand at.
 * Source: feature hashing, https://arxiv.org/abs/0902.2206 */

/** What is counted. Stored with the weights: a model reads only texts cut the way it was trained. */
export interface FeatureConfig {
  /** Buckets are 2^bits for each of the two blocks, shared between them. */
  readonly bits: number;
  readonly minChars: number;
  readonly maxChars: number;
  readonly maxWords: number;
}

/** The default: 2^18 buckets, characters 3–5, words 1–2. */
export const defaultFeatures: FeatureConfig = { bits: 18, minChars: 3, maxChars: 5, maxWords: 2 };

/** Receives every n-gram: its bucket, its block (0 characters, 1 words) and UTF-16 offsets into the text. */
export type FeatureVisitor = (bucket: number, block: 0 | 1, start: number, end: number) => void;

/** A text made simple: lowercase, digits as 0, one space for white space; `offsets[i]` is where unit `i` came from. */
interface Simple {
  readonly codes: Uint16Array;
  readonly offsets: Int32Array;
  readonly length: number;
}

/**
 * Calls `visit` for every n-gram of a text, repeated ones too. Any string is fine.
 * @example
 * eachFeature("ab cd", defaultFeatures, (bucket, block, start, end) => {});
 */
export function eachFeature(text: string, config: FeatureConfig, visit: FeatureVisitor): void {
  const simple = simplify(text);
  eachCharacterGram(simple, config, visit);
  eachWordGram(simple, config, visit);
}

function simplify(text: string): Simple {
  const source = lowercased(text);
  const codes = new Uint16Array(source.length + 2);
  const offsets = new Int32Array(source.length + 2);
  codes[0] = 32;
  let length = 1;
  for (let i = 0; i < source.length; i++) {
    let code = source.charCodeAt(i);
    if (code <= 32 || code === 0xa0 || code === 0x3000) code = 32;
    else if (code >= 48 && code <= 57) code = 48;
    if (code === 32 && codes[length - 1] === 32) continue;
    codes[length] = code;
    offsets[length] = i;
    length += 1;
  }
  if (codes[length - 1] !== 32) {
    codes[length] = 32;
    offsets[length] = source.length;
    length += 1;
  }
  return { codes, offsets, length };
}

/** Lowercase of the same length, so that offsets stay right: the few letters that would grow ("İ") lose their dot. */
function lowercased(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : text.replace(/[^a-z]/g, (unit) => unit.toLowerCase().charAt(0));
}

function eachCharacterGram({ codes, offsets, length }: Simple, config: FeatureConfig, visit: FeatureVisitor): void {
  const { minChars, maxChars } = config;
  const shift = 32 - config.bits;
  for (let i = 0; i < length; i++) {
    let hash = 0x811c9dc5;
    const last = Math.min(length, i + maxChars);
    for (let j = i; j < last; j++) {
      hash = Math.imul(hash ^ (codes[j] ?? 0), 0x01000193);
      hash ^= hash >>> 13;
      if (j - i + 1 >= minChars)
        visit(Math.imul(hash, 0x9e3779b1) >>> shift, 0, offsets[i] ?? 0, (offsets[j] ?? 0) + 1);
    }
  }
}

/** Words are runs of letters; ideographs, kana, Thai and marks of punctuation are words of one character. */
function eachWordGram({ codes, offsets, length }: Simple, config: FeatureConfig, visit: FeatureVisitor): void {
  const shift = 32 - config.bits;
  const hashes: number[] = [];
  const starts: number[] = [];
  for (let i = 0; i < length; ) {
    if (codes[i] === 32) {
      i += 1;
      continue;
    }
    const from = i;
    let hash = 0x2f0b4c47;
    const isRun = isWordCode(codes[i] ?? 0);
    do {
      hash = Math.imul(hash ^ (codes[i] ?? 0), 0x01000193);
      hash ^= hash >>> 15;
      i += 1;
    } while (isRun && i < length && isWordCode(codes[i] ?? 0));
    hashes.push(hash);
    starts.push(offsets[from] ?? 0);
    const end = (offsets[i - 1] ?? 0) + 1;
    let combined = 0x5bd1e995;
    for (let back = 0; back < config.maxWords && back < hashes.length; back++) {
      const at = hashes.length - 1 - back;
      combined = Math.imul(combined ^ (hashes[at] ?? 0), 0x85ebca6b);
      combined ^= combined >>> 16;
      visit(Math.imul(combined, 0x9e3779b1) >>> shift, 1, starts[at] ?? 0, end);
    }
  }
}

function isWordCode(code: number): boolean {
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 48 || code === 95;
  if (code < 0x0e00) return code >= 0xc0 && code !== 0xd7 && code !== 0xf7 && code !== 0x60c && code !== 0x61f;
  if (code < 0x0e80) return false; // Thai
  if (code >= 0x2000 && code < 0x2e80) return false; // punctuation and symbols
  return !(code >= 0x2e80 && code < 0xac00) && !(code >= 0xd800 && code < 0xfb00) && code < 0xff00;
}
