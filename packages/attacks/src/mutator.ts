/** What a mutator is: a disguise that changes how a text looks and not what it asks for. */
import type { Rng } from "./rng.ts";

/** Families of disguises. */
export const mutatorGroups = ["encoding", "unicode", "spelling", "order", "word", "sentence", "carrier"] as const;

/** One of the families. */
export type MutatorGroup = (typeof mutatorGroups)[number];

/** A mutator as its file declares it. */
export interface Mutator {
  /** File name without ending; for a stack or a slice the expression that it was made of. */
  readonly id: string;
  readonly group: MutatorGroup;
  /** What it does, in a line. */
  readonly summary: string;
  /** Disguises a text; the same text and random stream give the same result. */
  apply(text: string, rng: Rng): string;
  /** Gets the text back out of the disguise, exactly or up to `fold`. */
  invert?(text: string): string;
  /** Brings texts that differ only by what the disguise loses to one form. Default: the text itself. */
  fold?(text: string): string;
  /** For noise that nothing undoes: how far a reader follows, as edits per character of the text. */
  readonly maxEdits?: number;
  /** False for texts the disguise cannot carry. Default: every text. */
  appliesTo?(text: string): boolean;
  /** Results for a fixed input, whatever the random stream. */
  readonly examples: readonly { readonly input: string; readonly output: string }[];
}

/**
 * Identity at run time; gives a mutator's file its type and its one name to search for.
 * @param mutator the mutator
 * @returns the same object
 * @example
 * export default defineMutator({ id: "upper-case", group: "spelling", …, examples: [{ input: "a", output: "A" }] });
 */
export function defineMutator(mutator: Mutator): Mutator {
  return mutator;
}

/**
 * Whether a disguised text still carries what it said. A human reads English with one letter in five wrong, which is
 * what `maxEdits` of the noisy mutators stays below (Rayner et al. 2006, https://doi.org/10.1111/j.1467-9280.2006.01684.x).
 * @param mutator the disguise
 * @param original the text before
 * @param mutated the text after
 * @returns true when undoing the disguise gives the original (up to `fold`); for noise, when few enough edits lie
 *   between the two; for a disguise that only adds, when the original still stands in the text
 * @example
 * keepsPayload(rot13, "hello", "ROT13: uryyb"); // true
 */
export function keepsPayload(mutator: Mutator, original: string, mutated: string): boolean {
  const fold = mutator.fold ?? ((text: string) => text);
  if (mutator.invert) return fold(mutator.invert(mutated)) === fold(original);
  if (mutator.maxEdits === undefined) return fold(mutated).includes(fold(original));
  return editDistance(fold(original), fold(mutated)) <= mutator.maxEdits * original.length;
}

/**
 * Levenshtein distance.
 * @param a one text
 * @param b another
 * @returns inserted, deleted and replaced UTF-16 units between them
 * @example
 * editDistance("kitten", "sitting"); // 3
 */
export function editDistance(a: string, b: string): number {
  let row = Uint32Array.from({ length: b.length + 1 }, (_, j) => j);
  let next = new Uint32Array(b.length + 1);
  for (let i = 1; i <= a.length; i++) {
    next[0] = i;
    const unit = a.charCodeAt(i - 1);
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (unit === b.charCodeAt(j - 1) ? 0 : 1);
      next[j] = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    [row, next] = [next, row];
  }
  return row[b.length] ?? 0;
}
