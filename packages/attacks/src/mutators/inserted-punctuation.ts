/** Full stops, hyphens or underscores between the letters of longer words. */
import { defineMutator } from "../mutator.ts";

const signs = [".", "-", "_", "*", "~"];
const fold = (text: string): string => text.replaceAll(/[.\-_*~]/g, "");

export default defineMutator({
  id: "inserted-punctuation",
  group: "spelling",
  summary: "A sign between the letters of words",
  apply(text, rng) {
    const sign = rng.pick(signs);
    return text.replaceAll(/[a-z]{3,}/gi, (word) => [...word].join(sign));
  },
  invert: fold,
  fold,
  appliesTo: (text) => /[a-z]{3}/i.test(text),
  examples: [],
});
