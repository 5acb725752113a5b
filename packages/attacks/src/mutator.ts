/** What a mutator is: a disguise that changes how a text looks and not what it asks for. */
import type { Rng } from "./rng.ts";

/** Families of disguises. */
export const mutatorGroups = ["encoding", "unicode", "spelling", "order", "carrier"] as const;

/** One of the families. */
export type MutatorGroup = (typeof mutatorGroups)[number];

/** A mutator as its file declares it. */
export interface Mutator {
  /** File name without ending. */
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
  /** False for texts the disguise cannot carry. Default: every text. */
  appliesTo?(text: string): boolean;
  /** Results for a fixed input, whatever the random stream. */
  readonly examples: readonly { readonly input: string; readonly output: string }[];
}

/**
 * Identity at run time; gives a mutator's file its type and its one name to search for.
 * @param mutator the mutator
 * @returns the same object
 */
export function defineMutator(mutator: Mutator): Mutator {
  return mutator;
}

/**
 * Whether a disguised text still carries what it said.
 * @param mutator the disguise
 * @param original the text before
 * @param mutated the text after
 * @returns true when undoing the disguise gives the original (up to `fold`), or, for a disguise that cannot be undone,
 *   when the original still stands in the text
 */
export function keepsPayload(mutator: Mutator, original: string, mutated: string): boolean {
  const fold = mutator.fold ?? ((text: string) => text);
  if (!mutator.invert) return fold(mutated).includes(fold(original));
  return fold(mutator.invert(mutated)) === fold(original);
}
