/** A text with the spans of a verdict highlighted. Offsets count code points, as the API does. */
import type { Span } from "@mlsec/contracts";

interface Piece {
  readonly text: string;
  readonly span?: Span;
}

/** Cuts a text at its spans; where spans overlap the higher score wins. */
export function cutAtSpans(text: string, spans: readonly Span[]): Piece[] {
  const points = Array.from(text);
  const owner = new Array<Span | undefined>(points.length).fill(undefined);
  for (const span of [...spans].sort((a, b) => a.score - b.score))
    owner.fill(span, Math.max(0, span.start), Math.min(points.length, span.end));
  const pieces: Piece[] = [];
  let start = 0;
  for (let i = 1; i <= points.length; i++) {
    if (i < points.length && owner[i] === owner[start]) continue;
    const span = owner[start];
    pieces.push({ text: points.slice(start, i).join(""), ...(span ? { span } : {}) });
    start = i;
  }
  return pieces;
}

export const Evidence = ({ text, spans }: { text: string; spans: readonly Span[] }) => (
  <p className="evidence" dir="auto">
    {cutAtSpans(text, spans).map((piece, i) =>
      piece.span ? (
        <mark key={i} title={`score ${piece.span.score.toFixed(2)}, found in the ${piece.span.view} view`}>
          {piece.text}
          {piece.span.view === "text" ? null : <sup>{piece.span.view}</sup>}
        </mark>
      ) : (
        piece.text
      ),
    )}
  </p>
);
