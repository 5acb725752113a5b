/** Right-to-left override around each reversed line: the eye reads what the machine does not. */
import { defineMutator } from "../mutator.ts";

const reverse = (text: string): string => [...text].reverse().join("");

export default defineMutator({
  id: "bidi-override",
  group: "unicode",
  summary: "Stored backwards, shown forwards",
  apply: (text) =>
    text
      .split("\n")
      .map((line) => `\u202e${reverse(line)}\u202c`)
      .join("\n"),
  invert: (text) =>
    text
      .split("\n")
      .map((line) => reverse(line.slice(1, -1)))
      .join("\n"),
  appliesTo: (text) => /\S\S/.test(text),
  examples: [{ input: "abc", output: "\u202ecba\u202c" }],
});
