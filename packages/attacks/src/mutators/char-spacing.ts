/** A gap after every character, a wider one between words. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "char-spacing",
  group: "spelling",
  summary: "A gap after every character",
  apply: (text) =>
    text
      .split(/\s+/)
      .map((word) => [...word].join(" "))
      .join("   "),
  invert: (text) =>
    text
      .split("   ")
      .map((word) => word.replaceAll(" ", ""))
      .join(" "),
  fold: (text) => text.replaceAll(/\s+/g, " "),
  appliesTo: (text) => /\S\S/.test(text),
  examples: [{ input: "go on", output: "g o   o n" }],
});
