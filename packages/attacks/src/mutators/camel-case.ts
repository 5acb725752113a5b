/** No spaces: each word begins with a capital instead. */
import { defineMutator } from "../mutator.ts";

const fold = (text: string): string => text.toLowerCase().replaceAll(/\s+/g, "");

export default defineMutator({
  id: "camel-case",
  group: "spelling",
  summary: "Words run together, each with a capital",
  apply: (text) => text.replaceAll(/(\S)(\S*)\s*/gu, (_, first: string, rest: string) => first.toUpperCase() + rest),
  fold,
  appliesTo: (text) => /\S \S/.test(text) && fold(text.toUpperCase()) === fold(text),
  examples: [{ input: "print the code", output: "PrintTheCode" }],
});
