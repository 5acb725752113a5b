/** Added tokens: strings such as "[MASK]" that are found in the text before anything else is done to it.
 * Source: https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/tokenizer/added_vocabulary.rs */
import { EngineError } from "../error.ts";
import { type AlignedText, sliceAligned } from "./aligned-text.ts";
import { codePointAt, isWhitespace } from "./characters.ts";
import { objectAt } from "./fields.ts";
import { escapeLiteral } from "./patterns.ts";
import type { Normalizer } from "./stages.ts";
import { isTokenId } from "./vocabulary.ts";

/** One entry of `added_tokens`. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly isSingleWord: boolean;
  readonly stripsLeft: boolean;
  readonly stripsRight: boolean;
  readonly isNormalized: boolean;
}

/** A stretch of text: an added token, or text for the next stages. */
export interface Segment {
  readonly text: AlignedText;
  readonly tokenId?: number;
}

/** Cuts an aligned text at the added tokens in it. */
export type AddedTokenSplitter = (input: AlignedText) => Segment[];

const BEGINS_WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/**
 * Reads the `added_tokens` list.
 * @throws EngineError TOKENIZER when an entry lacks its id or content.
 * @example
 * readAddedTokens([{ id: 0, content: "[PAD]" }])[0].content; // "[PAD]"
 */
export function readAddedTokens(value: unknown): AddedToken[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value))
    throw new EngineError("TOKENIZER", "added_tokens is not a list", { where: "added_tokens" });
  return value.map((item: unknown, i) => {
    const where = `added_tokens[${i}]`;
    const entry = objectAt(item, where);
    const { id, content } = entry;
    if (!isTokenId(id) || typeof content !== "string" || content === "") {
      throw new EngineError("TOKENIZER", "an added token lacks its id or content", { where });
    }
    return {
      id,
      content,
      isSingleWord: entry["single_word"] === true,
      stripsLeft: entry["lstrip"] === true,
      stripsRight: entry["rstrip"] === true,
      isNormalized: entry["normalized"] === true,
    };
  });
}

/**
 * A splitter for these tokens, the longest match winning at each place.
 * Tokens that are marked normalized are looked for after the normaliser and written as it writes them.
 * @example
 * addedTokenSplitter(readAddedTokens([{ id: 9, content: "[M]" }]))({ text: "a[M]", base: 0 }).length; // 2
 */
export function addedTokenSplitter(tokens: readonly AddedToken[], normalizer?: Normalizer): AddedTokenSplitter {
  const byContent = new Map<string, AddedToken>();
  for (const token of tokens) {
    const content = normalizer ? normalizer.normalize({ text: token.content, base: 0 }).text : token.content;
    if (content !== "") byContent.set(content, token);
  }
  if (byContent.size === 0) return (input) => [{ text: input }];
  const contents = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const matcher = new RegExp(contents.map(escapeLiteral).join("|"), "g");
  return (input) => {
    matcher.lastIndex = 0;
    if (!matcher.test(input.text)) return [{ text: input }];
    matcher.lastIndex = 0; // matchAll starts where the last match ended
    return cutAt(input, byContent, matcher);
  };
}

function cutAt(input: AlignedText, byContent: ReadonlyMap<string, AddedToken>, matcher: RegExp): Segment[] {
  const { text } = input;
  const segments: Segment[] = [];
  let done = 0;
  for (const match of text.matchAll(matcher)) {
    const token = byContent.get(match[0]);
    let start = match.index;
    let end = start + match[0].length;
    if (!token || start < done || (token.isSingleWord && touchesWord(text, start, end))) continue;
    if (token.stripsLeft) start = startOfSpace(text, done, start);
    if (token.stripsRight) end = endOfSpace(text, end);
    if (start > done) segments.push({ text: sliceAligned(input, done, start) });
    segments.push({ text: sliceAligned(input, start, end), tokenId: token.id });
    done = end;
  }
  if (done < text.length) segments.push({ text: sliceAligned(input, done, text.length) });
  return segments;
}

function startOfSpace(text: string, from: number, to: number): number {
  let at = to;
  while (at > from && isWhitespace(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

function endOfSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isWhitespace(text.charCodeAt(at))) at += 1;
  return at;
}

function touchesWord(text: string, start: number, end: number): boolean {
  // Not a pattern that ends in "$": V8 finds no character beyond U+FFFF with those.
  const before = start - (start >= 2 && codePointAt(text, start - 2) > 0xffff ? 2 : 1);
  return (start > 0 && BEGINS_WORD.test(text.slice(before, start))) || BEGINS_WORD.test(text.slice(end, end + 2));
}
