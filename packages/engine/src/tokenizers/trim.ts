/** Cuts the spaces of byte-level tokens off their offsets, so that a span is the word and not the space before it.
 * Source: https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/pre_tokenizers/byte_level.rs */
import { BYTE_SPACE } from "./byte-level.ts";
import { codePointAt, isWhitespace } from "./characters.ts";
import type { OffsetTrim } from "./stages.ts";

/** A token as it stands in the rewritten text, with its offsets into the source. */
export interface TokenSpan {
  readonly token: string;
  readonly start: number;
  readonly end: number;
  readonly isFirst: boolean;
}

/**
 * The offsets of a token without as many source characters at each end as it has spaces there.
 * @example
 * trimSpan({ token: "Ġhi", start: 2, end: 5, isFirst: false }, "a  hi", [{ addsPrefixSpace: false }]); // [3, 5]
 */
export function trimSpan(span: TokenSpan, source: string, trims: readonly OffsetTrim[]): readonly [number, number] {
  let { start, end } = span;
  for (const { addsPrefixSpace } of trims) {
    let leading = leadingSpaces(span.token);
    if (leading === 1 && addsPrefixSpace && (span.isFirst || start === 0)) leading = 0;
    for (; leading > 0 && start < end; leading--) start += codePointAt(source, start) > 0xffff ? 2 : 1;
    for (let trailing = trailingSpaces(span.token); trailing > 0 && end > start; trailing--) {
      end -= end >= 2 && codePointAt(source, end - 2) > 0xffff ? 2 : 1;
    }
  }
  return [start, end];
}

const isSpace = (token: string, index: number): boolean =>
  token.charAt(index) === BYTE_SPACE || isWhitespace(token.charCodeAt(index));

function leadingSpaces(token: string): number {
  let count = 0;
  while (count < token.length && isSpace(token, count)) count += 1;
  return count;
}

function trailingSpaces(token: string): number {
  let count = 0;
  while (count < token.length && isSpace(token, token.length - 1 - count)) count += 1;
  return count;
}
