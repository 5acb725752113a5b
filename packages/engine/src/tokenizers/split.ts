/** Cuts words at matches of a pattern, and says what becomes of the matches.
 * Source: https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/tokenizer/normalizer.rs */
import { codePointAt } from "./characters.ts";
import type { PreTokenizer } from "./stages.ts";

/** What becomes of a match: its own word, dropped, or joined to a neighbour. */
export const SPLIT_BEHAVIOURS = ["Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"] as const;
export type SplitBehaviour = (typeof SPLIT_BEHAVIOURS)[number];

/** Calls `emit` for every match in `text[from, to)`, in order, without overlaps. */
export type MatchFinder = (text: string, range: readonly [number, number], emit: MatchSink) => void;
type MatchSink = (start: number, end: number) => void;

/** A word under way, and whether it is a match. */
interface Part {
  start: number;
  end: number;
  readonly isMatch: boolean;
}

/**
 * A pre-tokenizer that cuts at matches; with `inverted`, what lies between the matches counts as matched.
 * @example
 * splitAt(charactersOf((c) => c === 0x2d), { behaviour: "MergedWithNext", inverted: false }); // "a-b" → "a", "-b"
 */
export function splitAt(
  find: MatchFinder,
  { behaviour, inverted }: { readonly behaviour: SplitBehaviour; readonly inverted: boolean },
): PreTokenizer {
  return {
    split({ text, bounds }) {
      const out: number[] = [];
      for (let i = 0; i < bounds.length; i += 2) {
        const range = [bounds[i] ?? 0, bounds[i + 1] ?? 0] as const;
        for (const { start, end } of arrange(partsOf(text.text, range, { find, inverted }), behaviour)) {
          if (end > start) out.push(start, end);
        }
      }
      return { text, bounds: Int32Array.from(out) };
    },
  };
}

/**
 * Finds the single characters for which `belongs` holds.
 * @example
 * charactersOf((codePoint) => codePoint === 0x20);
 */
export function charactersOf(belongs: (codePoint: number) => boolean): MatchFinder {
  return (text, [from, to], emit) => {
    for (let at = from; at < to; ) {
      const codePoint = codePointAt(text, at);
      const next = codePoint > 0xffff ? at + 2 : at + 1;
      if (belongs(codePoint)) emit(at, next);
      at = next;
    }
  };
}

/**
 * Finds the matches of a global pattern, which sees one word at a time.
 * @example
 * matchesOf(/\d+/gu);
 */
export function matchesOf(pattern: RegExp): MatchFinder {
  return (text, [from, to], emit) => {
    for (const match of text.slice(from, to).matchAll(pattern)) {
      emit(from + match.index, from + match.index + match[0].length);
    }
  };
}

function partsOf(
  text: string,
  [from, to]: readonly [number, number],
  { find, inverted }: { readonly find: MatchFinder; readonly inverted: boolean },
): Part[] {
  const parts: Part[] = [];
  let done = from;
  find(text, [from, to], (start, end) => {
    if (start > done) parts.push({ start: done, end: start, isMatch: inverted });
    parts.push({ start, end, isMatch: !inverted });
    done = end;
  });
  if (done < to) parts.push({ start: done, end: to, isMatch: inverted });
  return parts;
}

function arrange(parts: Part[], behaviour: SplitBehaviour): Part[] {
  switch (behaviour) {
    case "Isolated":
      return parts;
    case "Removed":
      return parts.filter(({ isMatch }) => !isMatch);
    case "Contiguous":
      return joined(parts, (part, before) => part.isMatch === before.isMatch);
    case "MergedWithPrevious":
      return joined(parts, (part, before) => part.isMatch && !before.isMatch);
    case "MergedWithNext":
      return joined(parts.reverse(), (part, after) => part.isMatch && !after.isMatch).reverse();
  }
}

/** Joins a part to the word before it where `joins` holds for it and the part before it. */
function joined(parts: readonly Part[], joins: (part: Part, before: Part) => boolean): Part[] {
  const words: Part[] = [];
  let before: Part | undefined;
  for (const part of parts) {
    const word = words.at(-1);
    if (word && before && joins(part, before)) {
      word.start = Math.min(word.start, part.start);
      word.end = Math.max(word.end, part.end);
    } else words.push({ ...part });
    before = part;
  }
  return words;
}
