/** Token windows over a whole text: no token is left out, however long the text is. */
import { EngineError } from "../error.ts";
import type { Encoding } from "../tokenizers/tokenizer.ts";

/** A stretch of tokens with the specials around it. `start`/`end` are UTF-16 offsets into the text that was encoded. */
export interface TokenWindow {
  readonly ids: Int32Array;
  readonly start: number;
  readonly end: number;
}

/** Sizes in tokens; `windowTokens` includes the specials. */
export interface WindowLayout {
  readonly windowTokens: number;
  readonly overlapTokens: number;
  readonly prefixIds: readonly number[];
  readonly suffixIds: readonly number[];
}

/**
 * Cuts an encoding without specials into windows of equal size, spread evenly, neighbours sharing at least
 * `overlapTokens`. An empty text is one window that holds only the specials.
 * @throws EngineError CONFIG when a window has no room beyond its specials and overlap.
 * @example
 * const encoding = tokenizer.encode(text, { addSpecials: false });
 * tokenWindows(encoding, { windowTokens: 128, overlapTokens: 32, prefixIds: [101], suffixIds: [102] });
 */
export function tokenWindows(encoding: Encoding, layout: WindowLayout): TokenWindow[] {
  const { windowTokens, overlapTokens, prefixIds, suffixIds } = layout;
  const room = windowTokens - prefixIds.length - suffixIds.length;
  if (!(room > overlapTokens && overlapTokens >= 0)) {
    throw new EngineError("CONFIG", "a window must be longer than its specials and overlap", {
      expected: overlapTokens + prefixIds.length + suffixIds.length + 1,
      got: windowTokens,
    });
  }
  const total = encoding.ids.length;
  return windowStarts(total, room, overlapTokens).map((from) => {
    const to = Math.min(total, from + room);
    const ids = new Int32Array(prefixIds.length + to - from + suffixIds.length);
    ids.set(prefixIds, 0);
    ids.set(encoding.ids.subarray(from, to), prefixIds.length);
    ids.set(suffixIds, prefixIds.length + to - from);
    return { ids, start: encoding.starts[from] ?? 0, end: lastEnd(encoding, from, to) };
  });
}

/** First token of each window. */
function windowStarts(total: number, room: number, overlap: number): number[] {
  if (total <= room) return [0];
  const count = Math.ceil((total - overlap) / (room - overlap));
  return Array.from({ length: count }, (_, i) => Math.floor((i * (total - room)) / (count - 1)));
}

/** Offsets of reordered characters need not rise, so the furthest end of the last few tokens counts. */
function lastEnd({ starts, ends }: Encoding, from: number, to: number): number {
  let end = starts[from] ?? 0;
  for (let i = Math.max(from, to - 4); i < to; i++) end = Math.max(end, ends[i] ?? 0);
  return end;
}
