/** Windows of characters: a linear model dilutes a short attack in a long text, so it reads long texts in stretches. */

/** Sizes in UTF-16 units. */
export interface CharacterWindows {
  readonly size: number;
  readonly overlap: number;
}

/** What shipped models are trained and read with. The manifest repeats it as windowTokens and overlapTokens. */
export const defaultWindows: CharacterWindows = { size: 1500, overlap: 300 };

/** UTF-16 offsets of one window. */
export interface CharacterWindow {
  readonly start: number;
  readonly end: number;
}

/**
 * Windows that cover a whole text, spread evenly; one window for a text that fits, the empty text included.
 * No window starts or ends inside a surrogate pair.
 * @example
 * characterWindows("a".repeat(2000)); // [{ start: 0, end: 1500 }, { start: 500, end: 2000 }]
 */
export function characterWindows(
  text: string,
  { size, overlap }: CharacterWindows = defaultWindows,
): CharacterWindow[] {
  if (text.length <= size) return [{ start: 0, end: text.length }];
  const count = Math.ceil((text.length - overlap) / (size - overlap));
  const step = (text.length - size) / (count - 1);
  return Array.from({ length: count }, (_, i) => {
    const start = Math.round(i * step);
    return { start: outsidePair(text, start), end: outsidePair(text, Math.min(text.length, start + size)) };
  });
}

function outsidePair(text: string, index: number): number {
  const isSecond = index > 0 && index < text.length && (text.codePointAt(index - 1) ?? 0) > 0xffff;
  return isSecond ? index - 1 : index;
}
