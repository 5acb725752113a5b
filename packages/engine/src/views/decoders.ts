/** What hides text in text. A decoder finds the parts it can read and says what they mean; it never throws. */
import { bytesOfBase64, textOfBytes } from "./bytes.ts";
import { countCommonWords, plausibility } from "./plausible.ts";
import type { Decoded } from "./view.ts";

/** One way of hiding. `readsRaw` ones look at the text before invisible characters are removed. */
export interface Decoder {
  readonly name: string;
  readonly readsRaw: boolean;
  find(text: string): Decoded[];
}

const PLAUSIBLE = 0.2;
const encoder = new TextEncoder();

const base64: Decoder = {
  name: "base64",
  readsRaw: false,
  find: (text) =>
    found(text, /(?:[\w+/-]{40,}\r?\n)+[\w+/-]*={0,2}|[\w+/-]{10,}={0,2}/g, (run) => {
      if (!/[A-Z]/.test(run) || !/[a-z0-9]/.test(run) || /^[A-Z]?[a-z]+$/.test(run)) return undefined;
      return textOfBytes(bytesOfBase64(run));
    }),
};

const hex: Decoder = {
  name: "hex",
  readsRaw: false,
  find: (text) =>
    found(text, /(?:(?:\\x|0x)?[0-9a-f]{2}[ :,-]?){6,}/gi, (run) => {
      const pairs = run.replace(/\\x|0x/gi, "").match(/[0-9a-f]{2}/gi) ?? [];
      return textOfBytes(Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)));
    }),
};

const binary: Decoder = {
  name: "binary",
  readsRaw: false,
  find: (text) =>
    found(text, /(?:[01]{8}[ ,]?){4,}/g, (run) =>
      textOfBytes(Uint8Array.from(run.match(/[01]{8}/g) ?? [], (byte) => Number.parseInt(byte, 2))),
    ),
};

const url: Decoder = {
  name: "url",
  readsRaw: false,
  find: (text) =>
    /%[0-9a-f]{2}/i.test(text)
      ? found(text, /\S+/g, (run) => {
          if ((run.match(/%[0-9a-f]{2}/gi) ?? []).length < 2) return undefined;
          const bytes: number[] = [];
          for (const [piece] of run.matchAll(/%[0-9a-f]{2}|\+|[^%+]+|%/gi)) {
            if (piece.length === 3 && /^%[0-9a-f]{2}$/i.test(piece)) bytes.push(Number.parseInt(piece.slice(1), 16));
            else for (const byte of encoder.encode(piece === "+" ? " " : piece)) bytes.push(byte);
          }
          return textOfBytes(Uint8Array.from(bytes));
        })
      : [],
};

const NAMED: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
  nbsp: " ",
  sol: "/",
};

const html: Decoder = {
  name: "html",
  readsRaw: false,
  find: (text) =>
    rewritten(
      text,
      /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(lt|gt|amp|quot|apos|nbsp|sol));?/gi,
      ([, decimal, hexadecimal, name]) =>
        name
          ? NAMED[name.toLowerCase()]
          : characterOf(decimal ? Number(decimal) : Number.parseInt(hexadecimal ?? "", 16)),
    ),
};

const escapes: Decoder = {
  name: "escapes",
  readsRaw: false,
  find: (text) =>
    rewritten(text, /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\})/gi, ([, x, u, braced]) =>
      characterOf(Number.parseInt(x ?? u ?? braced ?? "", 16)),
    ),
};

const rot13: Decoder = {
  name: "rot13",
  readsRaw: false,
  find: (text) =>
    [...text.matchAll(/[^.:;!?\n"]+/g)].flatMap((match) => {
      const part = match[0];
      const words = part.match(/[a-z]{2,}/gi)?.length ?? 0;
      if (words < 2) return [];
      const decoded = part.replace(/[a-z]/gi, rotated);
      const hits = countCommonWords(decoded);
      if (hits < 2 || hits < words * 0.4 || countCommonWords(part) * 2 >= hits) return [];
      return [{ start: match.index, end: match.index + part.length, text: decoded, map: counting(part.length) }];
    }),
};

const tags: Decoder = {
  name: "unicode-tags",
  readsRaw: true,
  find: (text) =>
    found(text, /(?<!\u{1f3f4})[\u{e0020}-\u{e007e}]{3,}/gu, (run) =>
      Array.from(run, (character) => String.fromCharCode((character.codePointAt(0) ?? 0) - 0xe0000)).join(""),
    ),
};

const selectors: Decoder = {
  name: "variation-selectors",
  readsRaw: true,
  find: (text) =>
    found(text, /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{4,}/gu, (run) =>
      textOfBytes(
        Uint8Array.from(Array.from(run), (character) => {
          const codePoint = character.codePointAt(0) ?? 0;
          return codePoint < 0xe0000 ? codePoint - 0xfe00 : codePoint - 0xe0100 + 16;
        }),
      ),
    ),
};

/** All decoders, the ones that hide best first. */
export const decoders: readonly Decoder[] = [tags, selectors, base64, hex, binary, url, html, escapes, rot13];

/** Runs that match and decode to something plausible. */
function found(text: string, pattern: RegExp, decode: (run: string) => string | undefined): Decoded[] {
  const parts: Decoded[] = [];
  for (const match of text.matchAll(pattern)) {
    const run = match[0];
    const decoded = decode(run);
    if (decoded === undefined || decoded === run || plausibility(decoded) < PLAUSIBLE) continue;
    parts.push({ start: match.index, end: match.index + run.length, text: decoded });
  }
  return parts;
}

/** Lines in which escapes are replaced in place, so that a hit maps to its own characters. */
function rewritten(text: string, pattern: RegExp, replace: (match: RegExpExecArray) => string | undefined): Decoded[] {
  const parts: Decoded[] = [];
  pattern.lastIndex = 0;
  if (!pattern.test(text)) return parts;
  for (const line of text.matchAll(/[^\n]+/g)) {
    let out = "";
    let done = 0;
    const map: number[] = [];
    const copy = (to: number): void => {
      for (let i = done; i < to; i++) map.push(i);
      out += line[0].slice(done, to);
    };
    for (const match of line[0].matchAll(new RegExp(pattern.source, pattern.flags))) {
      const character = replace(match);
      if (character === undefined) continue;
      copy(match.index);
      out += character;
      for (let i = 0; i < character.length; i++) map.push(match.index);
      done = match.index + match[0].length;
    }
    if (done === 0) continue;
    copy(line[0].length);
    if (out !== line[0]) parts.push({ start: line.index, end: line.index + line[0].length, text: out, map });
  }
  return parts;
}

function characterOf(codePoint: number): string | undefined {
  const isCharacter = codePoint >= 9 && codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff);
  return isCharacter ? String.fromCodePoint(codePoint) : undefined;
}

function rotated(letter: string): string {
  const code = letter.charCodeAt(0);
  const base = code >= 97 ? 97 : 65;
  return String.fromCharCode(base + ((code - base + 13) % 26));
}

function counting(length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => i);
}
