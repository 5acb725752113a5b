/** UTF-16 offsets (JavaScript strings) to code-point offsets (the API, Python) and back. */

/**
 * A converter for one text: UTF-16 index → number of code points before it. A lone surrogate is one code point;
 * an index inside a pair counts as the pair's start. Indices may come in any order; rising ones cost least.
 * @example
 * utf16ToCodePoint("😀a")(2); // 1
 */
export function utf16ToCodePoint(text: string): (index: number) => number {
  if (!hasSurrogates(text)) return (index) => Math.max(0, Math.min(index, text.length));
  const pairs: number[] = []; // index of each pair's second unit
  for (let i = 0; i < text.length; i++) {
    if ((text.codePointAt(i) ?? 0) > 0xffff) pairs.push(++i);
  }
  return (index) => {
    const clamped = Math.max(0, Math.min(index, text.length));
    return clamped - firstAtLeast(pairs, clamped) - (isSecondUnit(pairs, clamped) ? 1 : 0);
  };
}

/**
 * A converter for one text: code-point index → UTF-16 index.
 * @example
 * codePointToUtf16("😀a")(1); // 2
 */
export function codePointToUtf16(text: string): (index: number) => number {
  if (!hasSurrogates(text)) return (index) => Math.max(0, Math.min(index, text.length));
  const starts: number[] = [];
  for (let i = 0; i < text.length; i++) {
    starts.push(i);
    if ((text.codePointAt(i) ?? 0) > 0xffff) i += 1;
  }
  return (index) => (index >= starts.length ? text.length : (starts[Math.max(0, index)] ?? 0));
}

function hasSurrogates(text: string): boolean {
  return /[\ud800-\udfff]/.test(text);
}

/** How many entries are smaller than `value`. */
function firstAtLeast(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isSecondUnit(pairs: readonly number[], index: number): boolean {
  return pairs[firstAtLeast(pairs, index)] === index;
}
