/** The first consonants go to the end of the word with "ay"; the hyphen keeps it reversible. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "pig-latin",
  group: "encoding",
  summary: "Pig Latin with hyphens",
  apply: (text) =>
    text.replaceAll(
      /(?<![a-z])([bcdfghjklmnpqrstvwxz]*)([a-z]+)/gi,
      (_, head: string, rest: string) => `${rest}-${head}ay`,
    ),
  invert: (text) =>
    text.replaceAll(/([a-z]+)-([bcdfghjklmnpqrstvwxz]*)ay/gi, (_, rest: string, head: string) => head + rest),
  appliesTo: (text) => /[a-z]{2}/i.test(text) && !/-|[a-z]ay(?![a-z])/i.test(text),
  examples: [{ input: "print it", output: "int-pray it-ay" }],
});
