/** Evidence as ranges of the text that was sent: merged, bounded, in code points. */
import { utf16ToCodePoint } from "../tokenizers/offsets.ts";

/** A hit. `start`/`end` count code points of the text as sent (`text[start:end]` in Python). */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** Calibrated P(attack) of this stretch alone. */
  readonly score: number;
  /** The view that it was found in. */
  readonly view: string;
}

/** A verdict carries at most this many spans, the highest scores. */
const MAX_SPANS = 32;

/**
 * Merges hits and converts their UTF-16 offsets to code points, in text order.
 * @example
 * spansOf("😀 bad", [{ start: 3, end: 6, score: 0.9, view: "raw" }]); // [{ start: 2, end: 5, … }]
 */
export function spansOf(text: string, hits: readonly Span[]): Span[] {
  const toCodePoint = utf16ToCodePoint(text);
  return mergeSpans(hits).map(({ start, end, score, view }) => ({
    start: toCodePoint(start),
    end: toCodePoint(end),
    score,
    view,
  }));
}

/**
 * Merges overlapping hits of one view, drops those inside a hit of another view that scores no lower,
 * keeps the 32 with the highest scores, in text order. Offsets of any one unit.
 * @example
 * mergeSpans([...first.spans, ...second.spans]);
 */
export function mergeSpans(hits: readonly Span[]): Span[] {
  const kept: Span[] = [];
  const byScore = mergeWithinViews(hits).sort((a, b) => b.score - a.score || b.end - b.start - (a.end - a.start));
  for (const hit of byScore) {
    if (kept.length === MAX_SPANS) break;
    if (!kept.some((other) => other.start <= hit.start && hit.end <= other.end)) kept.push(hit);
  }
  return kept.sort((a, b) => a.start - b.start || a.end - b.end);
}

function mergeWithinViews(hits: readonly Span[]): Span[] {
  const merged: Span[] = [];
  const last = new Map<string, number>(); // view -> index in `merged`
  for (const hit of [...hits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (hit.end <= hit.start) continue;
    const index = last.get(hit.view);
    const before = index === undefined ? undefined : merged[index];
    if (index !== undefined && before && hit.start < before.end) {
      merged[index] = { ...before, end: Math.max(before.end, hit.end), score: Math.max(before.score, hit.score) };
    } else {
      last.set(hit.view, merged.length);
      merged.push(hit);
    }
  }
  return merged;
}
