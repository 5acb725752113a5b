/** A view: another reading of a text that still knows where each of its characters came from. */

/** One reading. Indices are UTF-16; `toSource` maps a range of `text` to the range of the original that gave it. */
export interface View {
  /** "text", "normalised", or the decoders from the outside in, such as "base64" or "url>base64". */
  readonly name: string;
  readonly text: string;
  toSource(start: number, end: number): { readonly start: number; readonly end: number };
}

/** A text whose unit `i` stands for the source units `[starts[i], ends[i])`. */
export interface MappedText {
  readonly text: string;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** A part of a text and what it says once decoded; `map[i]` is where in the part unit `i` begins, if known. */
export interface Decoded {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly map?: ArrayLike<number>;
}

/**
 * A text that maps to itself; the maps are made when first asked for, as plain texts never need them.
 * @example
 * identity("ab").ends; // 1, 2
 */
export function identity(text: string): MappedText {
  let starts: Int32Array | undefined;
  let ends: Int32Array | undefined;
  return {
    text,
    get starts() {
      starts ??= Int32Array.from({ length: text.length }, (_, i) => i);
      return starts;
    },
    get ends() {
      ends ??= Int32Array.from({ length: text.length }, (_, i) => i + 1);
      return ends;
    },
  };
}

/**
 * The decoded parts of a mapped text, one a line, mapped to the same source; cut off at `limit` units.
 * @example
 * joinDecoded(identity("aGk="), [{ start: 0, end: 4, text: "hi" }], 100).text; // "hi"
 */
export function joinDecoded(parent: MappedText, parts: readonly Decoded[], limit: number): MappedText {
  const text = parts
    .map((part) => part.text)
    .join("\n")
    .slice(0, limit);
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  let at = 0;
  for (const { start, end, text: decoded, map } of parts) {
    for (let i = 0; i <= decoded.length && at < text.length; i++, at++) {
      const from = map && i < decoded.length ? start + (map[i] ?? 0) : start;
      const to = map && i < decoded.length ? start + (map[i + 1] ?? end - start) : end;
      starts[at] = parent.starts[from] ?? 0;
      ends[at] = parent.ends[Math.max(from, to - 1)] ?? 0;
    }
  }
  return { text, starts, ends };
}

/**
 * A view of a mapped text.
 * @example
 * viewOf("text", identity("abc")).toSource(1, 2); // { start: 1, end: 2 }
 */
export function viewOf(name: string, mapped: MappedText): View {
  const { text } = mapped;
  return {
    name,
    text,
    toSource(start, end) {
      if (text === "") return { start: 0, end: 0 };
      const { starts, ends } = mapped;
      const from = Math.max(0, Math.min(start, text.length - 1));
      const to = Math.max(from, Math.min(end, text.length) - 1);
      let first = starts[from] ?? 0;
      let last = ends[to] ?? 0;
      for (let i = from; i <= to; i++) {
        first = Math.min(first, starts[i] ?? first);
        last = Math.max(last, ends[i] ?? last);
      }
      return { start: first, end: end <= start ? first : last };
    },
  };
}
