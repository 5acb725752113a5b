/** Negative squared letters, which NFKC leaves alone. */
import { createAlphabet, latinLetters } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const squares = Array.from({ length: 26 }, (_, i) => String.fromCodePoint(0x1f170 + i)).join("");
const alphabet = createAlphabet(latinLetters.slice(0, 26), squares);

export default defineMutator({
  id: "squared-letters",
  group: "unicode",
  summary: "White letters on black squares",
  apply: (text) => alphabet.encode(text.toUpperCase()),
  invert: (text) => alphabet.decode(text),
  fold: (text) => text.toUpperCase(),
  appliesTo: (text) => /[a-z]/i.test(text),
  examples: [{ input: "ok", output: "🅾🅺" }],
});
