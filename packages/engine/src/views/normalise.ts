/** The normalised reading: compatibility forms unfolded, invisible characters gone, look-alike letters made plain.
 * Sources: UAX #15 (NFKC), UTS #39 (confusables), UTR #36. Unlike NFKC it works per code point and keeps a map. */
import table from "./homoglyphs.json" with { type: "json" };
import type { MappedText } from "./view.ts";

/** Letters of other scripts that look like ASCII letters. */
export const foreignHomoglyphs: Readonly<Record<string, string>> = table.foreign;
/** Latin letters (phonetic, small capitals, turned) that are read as ASCII letters. */
export const latinHomoglyphs: Readonly<Record<string, string>> = table.latin;

const foreign = new Map(Object.entries(foreignHomoglyphs));
const latin = new Map(Object.entries(latinHomoglyphs));
const PLAIN = /^[\t\n\r\x20-\x7e]*$/;
const MAX_UNFOLDED = 3; // one code point must not become a paragraph (U+FDFA gives 18)
const unfolded = new Map<number, string>();

/**
 * The normalised form, or undefined when it is the text itself. At most `limit` units long.
 * @example
 * normalise("ig\u200bnоre")?.text; // "ignore", the o having been Cyrillic
 */
export function normalise(text: string, limit = text.length * MAX_UNFOLDED): MappedText | undefined {
  if (PLAIN.test(text)) return undefined;
  const units: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  for (let i = 0; i < text.length && units.length < limit; ) {
    const codePoint = text.codePointAt(i) ?? 0;
    const next = codePoint > 0xffff ? i + 2 : i + 1;
    if (isAccent(codePoint)) composeAccent(units, ends, codePoint, next);
    else {
      for (const unit of unfold(codePoint).split("")) {
        units.push(unit);
        starts.push(i);
        ends.push(next);
      }
    }
    i = next;
  }
  foldHomoglyphs(units);
  const result = units.slice(0, limit).join("");
  if (result === text) return undefined;
  return { text: result, starts: Int32Array.from(starts), ends: Int32Array.from(ends) };
}

/** Stacked accents hide words; an accent that makes a letter with what stands before it is kept. */
function composeAccent(units: string[], ends: number[], codePoint: number, end: number): void {
  const last = units.length - 1;
  const base = units[last];
  if (base === undefined) return;
  const composed = (base + String.fromCodePoint(codePoint)).normalize("NFC");
  if (composed.length === 1) units[last] = composed;
  ends[last] = end;
}

function isAccent(codePoint: number): boolean {
  return (
    (codePoint >= 0x300 && codePoint <= 0x36f) ||
    (codePoint >= 0x1ab0 && codePoint <= 0x1aff) ||
    (codePoint >= 0x1dc0 && codePoint <= 0x1dff) ||
    (codePoint >= 0x20d0 && codePoint <= 0x20ff) ||
    (codePoint >= 0xfe20 && codePoint <= 0xfe2f)
  );
}

function unfold(codePoint: number): string {
  if (codePoint < 0x7f && codePoint >= 0x20) return String.fromCharCode(codePoint);
  let result = unfolded.get(codePoint);
  if (result === undefined) {
    result = unfoldOnce(codePoint);
    if (unfolded.size >= 20_000) unfolded.clear();
    unfolded.set(codePoint, result);
  }
  return result;
}

function unfoldOnce(codePoint: number): string {
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return "";
  const character = String.fromCodePoint(codePoint);
  if (/[\t\n\r]/.test(character)) return character;
  if (/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u.test(character)) return "";
  if (/\p{White_Space}/u.test(character)) return " ";
  const letter = boxedLetter(codePoint);
  if (letter) return letter;
  const compatible = character.normalize("NFKC");
  return compatible.length > MAX_UNFOLDED ? character : (latin.get(compatible) ?? compatible);
}

/** Negative circled and squared letters, which NFKC leaves alone. */
function boxedLetter(codePoint: number): string | undefined {
  for (const first of [0x1f150, 0x1f170]) {
    if (codePoint >= first && codePoint < first + 26) return String.fromCharCode(0x41 + codePoint - first);
  }
  return undefined;
}

/** Folds look-alikes in words that also hold Latin letters, and whole look-alike words inside Latin text. */
function foldHomoglyphs(units: string[]): void {
  const isLatin = (unit: string): boolean => /^[a-z]$/i.test(unit);
  let latinLetters = 0;
  let otherLetters = 0;
  for (const unit of units) {
    if (isLatin(unit)) latinLetters += 1;
    else if (/\p{L}/u.test(unit)) otherLetters += 1;
  }
  if (otherLetters === 0) return;
  const isMostlyLatin = latinLetters > otherLetters;
  for (let from = 0; from < units.length; ) {
    let to = from;
    let hasLatin = false;
    let isAllAlike = true;
    for (; to < units.length && /[\p{L}\p{N}_]/u.test(units[to] ?? ""); to++) {
      const unit = units[to] ?? "";
      if (isLatin(unit)) hasLatin = true;
      else if (!foreign.has(unit)) isAllAlike = false;
    }
    if (hasLatin || (isAllAlike && isMostlyLatin && to - from > 1)) {
      for (let i = from; i < to; i++) units[i] = foreign.get(units[i] ?? "") ?? units[i] ?? "";
    }
    from = to + 1;
  }
}
