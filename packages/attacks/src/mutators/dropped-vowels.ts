/** Vowels inside words left out; the skeleton of consonants stays readable. */
import { defineMutator } from "../mutator.ts";

const fold = (text: string): string => text.replaceAll(/[aeiou]/gi, "");

export default defineMutator({
  id: "dropped-vowels",
  group: "spelling",
  summary: "Consonants only",
  apply: (text) => text.replaceAll(/(?<=[a-z])[aeiou](?=[a-z])/gi, ""),
  fold,
  appliesTo: (text) => /[a-z][aeiou][a-z]/i.test(text),
  examples: [{ input: "print the answer", output: "prnt the answr" }],
});
