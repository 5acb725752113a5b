/** SentencePiece's character map: a double-array trie over UTF-8 bytes, and the texts that its entries become.
 * Sources: https://github.com/google/sentencepiece/blob/master/src/normalizer.cc, https://github.com/s-yata/darts-clone */
import { EngineError } from "../error.ts";
import { type AlignedBuilder, type AlignedText, alignedBuilder, sourceEnd, sourceStart } from "./aligned-text.ts";
import { codePointAt } from "./characters.ts";
import { stringAt } from "./fields.ts";
import { graphemeEnds } from "./graphemes.ts";
import type { Json, Normalizer } from "./stages.ts";

/** Clusters of more bytes are looked up character by character, as upstream does. */
const MAX_CLUSTER_BYTES = 5;
const MAX_REMEMBERED = 20_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a string becomes; undefined where the map says nothing about it. */
type CharacterMap = (text: string) => string | undefined;

/**
 * The normaliser of a `{"type": "Precompiled", …}` entry.
 * A cluster is looked up first as a whole, by its shortest prefix in the map, then character by character.
 * @throws EngineError TOKENIZER when the map is damaged.
 * @example
 * precompiled({ precompiled_charsmap: base64 }, "normalizer").normalize({ text: "ﬁ", base: 0 }).text; // "fi"
 */
export function precompiled(config: Json, where: string): Normalizer {
  const bytes = bytesOf(stringAt(config, "precompiled_charsmap", where), where);
  const lookUp = remember(characterMap(bytes, `${where}.precompiled_charsmap`));
  return { normalize: (input) => rewrite(input, lookUp) };
}

function rewrite(input: AlignedText, lookUp: CharacterMap): AlignedText {
  const { text } = input;
  const out = alignedBuilder(text.length + 16);
  let start = 0;
  for (const end of graphemeEnds(text)) {
    const cluster = text.slice(start, end);
    const whole =
      cluster.length <= MAX_CLUSTER_BYTES && encoder.encode(cluster).length <= MAX_CLUSTER_BYTES
        ? lookUp(cluster)
        : undefined;
    if (whole !== undefined) pushReplaced(out, input, { start, end, piece: whole });
    else {
      for (let at = start; at < end; ) {
        const next = codePointAt(text, at) > 0xffff ? at + 2 : at + 1;
        const character = text.slice(at, next);
        pushReplaced(out, input, { start: at, end: next, piece: lookUp(character) ?? character });
        at = next;
      }
    }
    start = end;
  }
  return out.finish();
}

/** The characters of `piece` stand for the source characters in order, those that are left over for the last one. */
function pushReplaced(
  out: AlignedBuilder,
  input: AlignedText,
  { start, end, piece }: { readonly start: number; readonly end: number; readonly piece: string },
): void {
  let from = start;
  let to = start;
  for (const character of piece) {
    if (to < end) {
      from = to;
      to += codePointAt(input.text, from) > 0xffff ? 2 : 1;
    }
    out.push(character, sourceStart(input, from), sourceEnd(input, to - 1));
  }
}

function remember(lookUp: CharacterMap): CharacterMap {
  const known = new Map<string, string | undefined>();
  return (text) => {
    let result = known.get(text);
    if (result === undefined && !known.has(text)) {
      if (known.size >= MAX_REMEMBERED) known.clear();
      result = lookUp(text);
      known.set(text, result);
    }
    return result;
  };
}

function bytesOf(base64: string, where: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new EngineError("TOKENIZER", "the character map is not base64", { where }, { cause });
  }
}

/** The file: the trie's size in bytes, the trie's 32-bit units, then the texts, each ended by a zero byte. */
function characterMap(file: Uint8Array, where: string): CharacterMap {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const size = file.length >= 4 ? view.getUint32(0, true) : 0;
  if (size === 0 || size % 4 !== 0 || size > file.length - 4) {
    throw new EngineError("TOKENIZER", "the character map is damaged", { where, got: file.length });
  }
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = file.subarray(4 + size);
  return (text) => {
    const at = shortestPrefix(units, encoder.encode(text));
    if (at < 0 || at >= texts.length) return undefined;
    const end = texts.indexOf(0, at);
    return decoder.decode(texts.subarray(at, end < 0 ? texts.length : end));
  };
}

/** The value of the shortest key that `bytes` begins with, or −1. */
function shortestPrefix(units: Uint32Array, bytes: Uint8Array): number {
  let node = offsetOf(units[0] ?? 0);
  for (const byte of bytes) {
    if (byte === 0) return -1;
    node ^= byte;
    const unit = units[node];
    if (unit === undefined || (unit & 0x8000_00ff) >>> 0 !== byte) return -1;
    node ^= offsetOf(unit);
    if ((unit & 0x100) !== 0) return (units[node] ?? 0xffff_ffff) & 0x7fff_ffff;
  }
  return -1;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
