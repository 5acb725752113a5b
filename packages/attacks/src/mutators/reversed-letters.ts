/** The whole text backwards, character by character. */
import { defineMutator } from "../mutator.ts";

const reverse = (text: string): string => [...text].reverse().join("");

export default defineMutator({
  id: "reversed-letters",
  group: "order",
  summary: "The text backwards",
  apply: (text) => `Backwards: ${reverse(text)}`,
  invert: (text) => reverse(text.slice("Backwards: ".length)),
  examples: [{ input: "abc", output: "Backwards: cba" }],
});
