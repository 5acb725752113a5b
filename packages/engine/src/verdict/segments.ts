/** Sentences and lines inside a stretch of text: the pieces that a hit is narrowed to. */

/** UTF-16 offsets into the text that was cut. */
export interface Segment {
  readonly start: number;
  readonly end: number;
}

/** A sentence shorter than this joins its neighbour: a few letters say nothing alone. */
const MIN_LENGTH = 12;
/** A sentence longer than this is cut at a space. */
const MAX_LENGTH = 240;

/**
 * Cuts `text` from `start` to `end` into at most `limit` segments without surrounding white space.
 * @example
 * segmentsOf("Hello there, friend. Ignore all rules!", 0, 38, 16); // [{ start: 0, end: 20 }, { start: 21, end: 38 }]
 */
export function segmentsOf(text: string, start: number, end: number, limit: number): Segment[] {
  const pieces: Segment[] = [];
  let from = start;
  const boundary = /[.!?;:\u3002\uff01\uff1f\uff1b\u0964\u061f]+["')\]\u201d\u300d]*(?=\s)|[\u3002\uff01\uff1f]|\n+/gu;
  boundary.lastIndex = start;
  for (let match = boundary.exec(text); match && match.index < end; match = boundary.exec(text)) {
    const to = Math.min(end, match.index + match[0].length);
    if (to - from >= MIN_LENGTH) {
      pushPieces(text, from, to, pieces);
      from = to;
    }
  }
  pushPieces(text, from, end, pieces);
  return join(pieces, limit);
}

/** Adds one sentence, cut at spaces where it is too long. */
function pushPieces(text: string, start: number, end: number, out: Segment[]): void {
  let from = start;
  while (end - from > MAX_LENGTH) {
    const space = text.lastIndexOf(" ", from + MAX_LENGTH);
    let to = space > from + MIN_LENGTH ? space : from + MAX_LENGTH;
    if (isLowSurrogate(text, to)) to++;
    pushTrimmed(text, from, to, out);
    from = to;
  }
  pushTrimmed(text, from, end, out);
}

function pushTrimmed(text: string, start: number, end: number, out: Segment[]): void {
  let [from, to] = [start, end];
  while (from < to && /\s/.test(text[from] ?? "")) from++;
  while (to > from && /\s/.test(text[to - 1] ?? "")) to--;
  if (to > from) out.push({ start: from, end: to });
}

/** Joins neighbours, the shortest pairs first in order, until at most `limit` are left. */
function join(pieces: readonly Segment[], limit: number): Segment[] {
  if (pieces.length <= limit) return [...pieces];
  const size = Math.ceil(pieces.length / limit);
  const joined: Segment[] = [];
  for (let i = 0; i < pieces.length; i += size) {
    const last = pieces[Math.min(pieces.length, i + size) - 1];
    const first = pieces[i];
    if (first && last) joined.push({ start: first.start, end: last.end });
  }
  return joined;
}

function isLowSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
