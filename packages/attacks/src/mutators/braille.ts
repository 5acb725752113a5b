/** Unicode Braille patterns, letters only. */
import { createAlphabet, latinLetters } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const alphabet = createAlphabet(latinLetters.slice(26), "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵");

export default defineMutator({
  id: "braille",
  group: "encoding",
  summary: "Braille cells for letters",
  apply: (text) => alphabet.encode(text.toLowerCase()),
  invert: (text) => alphabet.decode(text),
  fold: (text) => text.toLowerCase(),
  appliesTo: (text) => /[a-z]/i.test(text),
  examples: [{ input: "Go on!", output: "⠛⠕ ⠕⠝!" }],
});
