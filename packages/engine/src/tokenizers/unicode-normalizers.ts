/** NFC, NFD, NFKC and NFKD with offsets, one combining sequence at a time.
 * Which source character a rewritten one stands for follows the Rust implementation, so that offsets are equal.
 * Source: https://www.unicode.org/reports/tr15/ */
import { type AlignedBuilder, type AlignedText, alignedBuilder, sourceEnd, sourceStart } from "./aligned-text.ts";
import { codePointAt, isMark } from "./characters.ts";
import type { Normalizer } from "./stages.ts";

/** The four forms. */
export type UnicodeForm = "NFC" | "NFD" | "NFKC" | "NFKD";

const PLAIN = { NFC: /^[\0-\u02ff]*$/, NFD: /^[\0-\xbf]*$/, NFKC: /^[\0-\x9f]*$/, NFKD: /^[\0-\x9f]*$/ };
/** Longer sequences of marks, which no language has, are cut: sorting them would take quadratic time. */
const MAX_SEQUENCE = 1024;
const MAX_REMEMBERED = 0x1_0000;

/**
 * The normaliser of a `{"type": "NFC"}` entry and its kin.
 * @example
 * unicodeNormalizer("NFKC").normalize({ text: "ﬁx", base: 0 }).text; // "fix"
 */
export function unicodeNormalizer(form: UnicodeForm): Normalizer {
  const single = new Map<number, string>();
  const joining = new Map<number, boolean>();
  const remember = <T>(map: Map<number, T>, codePoint: number, make: () => T): T => {
    let value = map.get(codePoint);
    if (value === undefined) {
      if (map.size >= MAX_REMEMBERED) map.clear();
      value = make();
      map.set(codePoint, value);
    }
    return value;
  };
  const joins = (codePoint: number): boolean =>
    codePoint >= 0x300 && remember(joining, codePoint, () => joinsPrevious(codePoint));
  const rewrite = (codePoint: number): string =>
    remember(single, codePoint, () => String.fromCodePoint(codePoint).normalize(form));
  return {
    normalize(input) {
      if (PLAIN[form].test(input.text)) return input;
      const { text } = input;
      const out = alignedBuilder(text.length + 64);
      for (let at = 0; at < text.length; ) {
        const codePoint = codePointAt(text, at);
        const next = codePoint > 0xffff ? at + 2 : at + 1;
        const end = endOfSequence(text, next, joins);
        if (end === next) out.push(rewrite(codePoint), sourceStart(input, at), sourceEnd(input, next - 1));
        else pushSequence(out, input, { start: at, end, form });
        at = end;
      }
      return out.finish();
    },
  };
}

/** Can this character be reordered past, or composed with, the one before it? */
function joinsPrevious(codePoint: number): boolean {
  const first = codePointAt(String.fromCodePoint(codePoint).normalize("NFKD"), 0);
  const isJamo = (first >= 0x1161 && first <= 0x1175) || (first >= 0x11a8 && first <= 0x11c2);
  return isJamo || isMark(first) || (first >= 0x16d63 && first <= 0x16d68); // Kirat Rai vowels compose, yet are letters
}

function endOfSequence(text: string, from: number, joins: (codePoint: number) => boolean): number {
  let at = from;
  for (let count = 1; at < text.length && count < MAX_SEQUENCE; count++) {
    const codePoint = codePointAt(text, at);
    if (!joins(codePoint)) break;
    at += codePoint > 0xffff ? 2 : 1;
  }
  return at;
}

interface Sequence {
  readonly start: number;
  readonly end: number;
  readonly form: UnicodeForm;
}

/**
 * A combining sequence. Each source character gives one "first" character and perhaps more; after sorting, the first
 * ones stand for the source characters in order, and a composed one takes as many of them as went into it.
 */
function pushSequence(out: AlignedBuilder, input: AlignedText, { start, end, form }: Sequence): void {
  const sequence = input.text.slice(start, end);
  const decomposed = form === "NFKC" || form === "NFKD" ? "NFKD" : "NFD";
  const units: number[] = []; // where each source character begins, and the end
  const first: boolean[] = [];
  const waiting = new Map<string, number[]>(); // character → its places before sorting, the first one last
  for (let at = start; at < end; at += codePointAt(input.text, at) > 0xffff ? 2 : 1) {
    units.push(at);
    let isFirst = true;
    for (const character of String.fromCodePoint(codePointAt(input.text, at)).normalize(decomposed)) {
      const places = waiting.get(character) ?? [];
      waiting.set(character, places);
      places.push(first.length);
      first.push(isFirst);
      isFirst = false;
    }
  }
  units.push(end);
  for (const places of waiting.values()) places.reverse();
  let source = 0;
  for (const character of sequence.normalize(form)) {
    let taken = 0;
    const parts = character.normalize(decomposed);
    for (const part of parts) if (first[waiting.get(part)?.pop() ?? -1]) taken += 1;
    const place = Math.min(units.length - 2, taken > 0 ? source : Math.max(0, source - 1));
    out.push(character, sourceStart(input, units[place] ?? start), sourceEnd(input, (units[place + 1] ?? end) - 1));
    source += taken;
  }
}
