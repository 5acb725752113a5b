/** BERT's normaliser: cleans control characters, spaces out ideographs, strips accents, lowercases.
 * Source: https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/normalizers/bert.rs */
import { type AlignedText, alignedBuilder, sourceEnd, sourceStart } from "./aligned-text.ts";
import { isChinese, isControl, isWhitespace } from "./characters.ts";
import type { Json, Normalizer } from "./stages.ts";

/** Options as in tokenizer.json, resolved. */
interface BertOptions {
  readonly cleanText: boolean;
  readonly chinese: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

const PLAIN_ASCII = /^[\t\n\r\x20-\x7e]*$/;
const MAX_REMEMBERED = 20_000;

/**
 * The normaliser of a `{"type": "BertNormalizer", …}` entry. ASCII text keeps its length, so it needs no map.
 * A lone surrogate is a control character and goes with them; without `clean_text` it becomes U+FFFD.
 * @example
 * bertNormalizer({ lowercase: true }).normalize({ text: "Déjà", base: 0 }).text; // "deja"
 */
export function bertNormalizer(config: Json): Normalizer {
  const lowercase = config["lowercase"] !== false;
  const strip = config["strip_accents"];
  const options: BertOptions = {
    cleanText: config["clean_text"] !== false,
    chinese: config["handle_chinese_chars"] !== false,
    stripAccents: typeof strip === "boolean" ? strip : lowercase,
    lowercase,
  };
  const remembered = new Map<number, string>();
  const rewrite = (codePoint: number): string => {
    let result = remembered.get(codePoint);
    if (result === undefined) {
      result = rewriteCodePoint(codePoint, options);
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(codePoint, result);
    }
    return result;
  };
  return {
    normalize(input) {
      if (!PLAIN_ASCII.test(input.text)) return rewriteAll(input, rewrite);
      const text = options.lowercase ? input.text.toLowerCase() : input.text;
      return { ...input, text: options.cleanText ? text.replace(/[\t\n\r]/g, " ") : text };
    },
  };
}

function rewriteAll(input: AlignedText, rewrite: (codePoint: number) => string): AlignedText {
  const { text } = input;
  const out = alignedBuilder(text.length + 64);
  for (let i = 0; i < text.length; ) {
    const codePoint = text.codePointAt(i) ?? 0;
    const next = codePoint > 0xffff ? i + 2 : i + 1;
    const piece = rewrite(codePoint);
    if (piece !== "") out.push(piece, sourceStart(input, i), sourceEnd(input, next - 1));
    i = next;
  }
  return out.finish();
}

/** Accents are stripped before lowercasing and code point by code point, so no final sigma appears: as upstream. */
function rewriteCodePoint(codePoint: number, { cleanText, chinese, stripAccents, lowercase }: BertOptions): string {
  if (cleanText) {
    if (codePoint === 0 || codePoint === 0xfffd || isControl(codePoint)) return "";
    if (isWhitespace(codePoint)) return " ";
  }
  const isLoneSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  let piece = isLoneSurrogate ? "\ufffd" : String.fromCodePoint(codePoint);
  if (chinese && isChinese(codePoint)) piece = ` ${piece} `;
  if (stripAccents) piece = piece.normalize("NFD").replace(/\p{Mn}/gu, "");
  return lowercase ? Array.from(piece, (character) => character.toLowerCase()).join("") : piece;
}
