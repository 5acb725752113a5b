// What each word did to a verdict. Occlusion: how far P(attack) falls when the word is left out. Gradient: what its tokens
// add to the log odds of an attack, to first order.
import type { TokenAttribution } from "@mlsec/engine";

/** More words than this are left out in groups of neighbours, so that an explanation has a bounded cost. */
const maxPieces = 128;

export interface Piece {
  readonly text: string;
  /** UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
}

/** The words of a text, neighbours joined when there are too many. */
export function piecesOf(text: string): Piece[] {
  const words = [...text.matchAll(/\S+/g)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
  const each = Math.max(1, Math.ceil(words.length / maxPieces));
  const pieces: Piece[] = [];
  for (let i = 0; i < words.length; i += each) {
    const start = words[i]?.start ?? 0;
    const end = words[Math.min(i + each, words.length) - 1]?.end ?? start;
    pieces.push({ text: text.slice(start, end), start, end });
  }
  return pieces;
}

export const without = (text: string, { start, end }: Piece): string => text.slice(0, start) + text.slice(end);

/** Attributions of the tokens that begin inside a piece; gradient times input adds up. */
export const sumWithin = (tokens: readonly TokenAttribution[], { start, end }: Piece): number =>
  tokens.reduce((sum, token) => sum + (token.start >= start && token.start < end ? token.attribution : 0), 0);
