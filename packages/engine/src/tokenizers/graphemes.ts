/** Cuts texts into grapheme clusters, what a reader takes for one character; plain stretches without the slow way. */

/** Between two of these there is always a boundary: they take no part in any rule but "otherwise". */
function isPlain(unit: number): boolean {
  return (
    (unit >= 0x20 && unit < 0x300) ||
    (unit >= 0x370 && unit < 0x483) ||
    (unit >= 0x48a && unit < 0x591) ||
    (unit >= 0x3041 && unit < 0x3097) ||
    (unit >= 0x30a0 && unit < 0x3100) ||
    (unit >= 0x3400 && unit < 0x4dc0) ||
    (unit >= 0x4e00 && unit < 0xa000)
  );
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * Where each grapheme cluster of a text ends, in order.
 * @example
 * graphemeEnds("ae\u0301"); // 1, 3
 */
export function graphemeEnds(text: string): number[] {
  const ends: number[] = [];
  for (let at = 0; at < text.length; ) {
    if (isPlain(text.charCodeAt(at)) && (at + 1 === text.length || isPlain(text.charCodeAt(at + 1)))) {
      at += 1;
      ends.push(at);
      continue;
    }
    const end = endOfStretch(text, at);
    for (const { index, segment } of segmenter.segment(text.slice(at, end))) ends.push(at + index + segment.length);
    at = end;
  }
  return ends;
}

/** The next place between two plain characters. */
function endOfStretch(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && !(isPlain(text.charCodeAt(at - 1)) && isPlain(text.charCodeAt(at)))) at += 1;
  return at;
}
