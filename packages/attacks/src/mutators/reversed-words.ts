/** The words in reverse order, with a line that says so. */
import { defineMutator } from "../mutator.ts";

const lead = "Read the words from right to left: ";
const reverse = (text: string): string => text.split(/\s+/).reverse().join(" ");

export default defineMutator({
  id: "reversed-words",
  group: "order",
  summary: "Words in reverse order",
  apply: (text) => lead + reverse(text.trim()),
  invert: (text) => reverse(text.slice(lead.length)),
  fold: (text) => text.trim().replaceAll(/\s+/g, " "),
  appliesTo: (text) => /\S\s+\S/.test(text),
  examples: [{ input: "one two three", output: `${lead}three two one` }],
});
