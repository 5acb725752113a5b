/** Verbs and plurals with another ending, as learners write (Morpheus, https://arxiv.org/abs/2005.04364). */
import { defineMutator } from "../mutator.ts";

const endings = ["s", "ed", "ing", ""];

export default defineMutator({
  id: "inflection",
  group: "word",
  summary: "Wrong endings",
  maxEdits: 0.25,
  apply(text, rng) {
    let left = Math.max(3, Math.floor(text.length * 0.2));
    return text.replaceAll(/[a-z]{4,}(?![a-z])/g, (word) => {
      if (left < 3 || !rng.chance(0.5)) return word;
      left -= 3;
      const stem = word.replace(/(?<=[a-z]{3})(?:ing|ed|s)$/, "");
      return stem + rng.pick(endings.filter((ending) => stem + ending !== word));
    });
  },
  appliesTo: (text) => (text.match(/[a-z]{4,}/g)?.length ?? 0) >= 8 && text.length >= 40,
  examples: [],
});
