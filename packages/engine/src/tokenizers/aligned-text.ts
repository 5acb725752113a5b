/** A text that knows where each of its UTF-16 units came from: every stage of a tokenizer hands one to the next. */

/**
 * Unit `i` of `text` stands for the source units `[starts[i], ends[i])`.
 * Without the arrays the text is the source itself from `base` on, unit by unit.
 */
export interface AlignedText {
  readonly text: string;
  readonly base: number;
  readonly starts?: Int32Array;
  readonly ends?: Int32Array;
}

/**
 * Where in the source unit `index` begins.
 * @example
 * sourceStart({ text: "b", base: 7 }, 0); // 7
 */
export function sourceStart(aligned: AlignedText, index: number): number {
  return aligned.starts ? (aligned.starts[index] ?? 0) : aligned.base + index;
}

/**
 * Where in the source unit `index` ends.
 * @example
 * sourceEnd({ text: "b", base: 7 }, 0); // 8
 */
export function sourceEnd(aligned: AlignedText, index: number): number {
  return aligned.ends ? (aligned.ends[index] ?? 0) : aligned.base + index + 1;
}

/**
 * Part `[start, end)` of an aligned text.
 * @example
 * sliceAligned({ text: "abc", base: 0 }, 1, 2); // { text: "b", base: 1 }
 */
export function sliceAligned(aligned: AlignedText, start: number, end: number): AlignedText {
  const text = aligned.text.slice(start, end);
  if (!aligned.starts || !aligned.ends) return { text, base: aligned.base + start };
  return { text, base: 0, starts: aligned.starts.subarray(start, end), ends: aligned.ends.subarray(start, end) };
}

/** Collects an aligned text piece by piece. */
export interface AlignedBuilder {
  /** Units so far. */
  readonly length: number;
  /** Appends `piece`, all of it standing for source units `[start, end)`. */
  push(piece: string, start: number, end: number): void;
  /** Appends part `[from, to)` of an aligned text as it is. */
  copy(input: AlignedText, from: number, to: number): void;
  finish(): AlignedText;
}

/**
 * A builder with room for about `expectedUnits`.
 * @example
 * const builder = alignedBuilder(4); builder.push("fi", 0, 1); builder.finish().text; // "fi"
 */
export function alignedBuilder(expectedUnits: number): AlignedBuilder {
  let starts = new Int32Array(expectedUnits + 16);
  let ends = new Int32Array(expectedUnits + 16);
  let text = "";
  const extend = (piece: string): number => {
    const from = text.length;
    text += piece;
    if (text.length > starts.length) {
      starts = grown(starts, text.length);
      ends = grown(ends, text.length);
    }
    return from;
  };
  return {
    get length() {
      return text.length;
    },
    push(piece, start, end) {
      for (let i = extend(piece); i < text.length; i++) {
        starts[i] = start;
        ends[i] = end;
      }
    },
    copy(input, from, to) {
      let at = extend(input.text.slice(from, to));
      for (let i = from; i < to; i++, at++) {
        starts[at] = sourceStart(input, i);
        ends[at] = sourceEnd(input, i);
      }
    },
    finish: () => ({ text, base: 0, starts: starts.subarray(0, text.length), ends: ends.subarray(0, text.length) }),
  };
}

function grown(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const out = new Int32Array(length * 2);
  out.set(array);
  return out;
}
