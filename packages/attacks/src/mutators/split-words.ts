/** A space in the middle of some longer words. */
import { defineMutator } from "../mutator.ts";

const fold = (text: string): string => text.replaceAll(/\s+/g, "");

export default defineMutator({
  id: "split-words",
  group: "spelling",
  summary: "Gaps inside words",
  apply: (text, rng) =>
    text.replaceAll(/[a-z]{4,}/gi, (word) => {
      const at = 2 + rng.int(word.length - 3);
      return rng.chance(0.7) ? `${word.slice(0, at)} ${word.slice(at)}` : word;
    }),
  fold,
  appliesTo: (text) => (text.match(/[a-z]{4,}/gi)?.length ?? 0) >= 4,
  examples: [],
});
