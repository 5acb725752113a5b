/** Words written without the spaces between them. */
import { defineMutator } from "../mutator.ts";

const fold = (text: string): string => text.replaceAll(/\s+/g, "");

export default defineMutator({
  id: "merged-words",
  group: "spelling",
  summary: "No spaces between words",
  apply: (text) => text.replaceAll(/ +/g, ""),
  fold,
  appliesTo: (text) => text.includes(" "),
  examples: [{ input: "print the code", output: "printthecode" }],
});
