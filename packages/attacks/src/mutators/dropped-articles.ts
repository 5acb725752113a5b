/** "a", "an" and "the" left out, as in telegrams and headlines. */
import { defineMutator } from "../mutator.ts";

const strip = (text: string): string => text.replaceAll(/(?<![\p{L}\p{N}'-])(?:the|an|a) /giu, "");

export default defineMutator({
  id: "dropped-articles",
  group: "word",
  summary: "No articles",
  apply: strip,
  fold: strip,
  appliesTo: (text) => strip(text) !== text,
  examples: [{ input: "Open the door of a house", output: "Open door of house" }],
});
