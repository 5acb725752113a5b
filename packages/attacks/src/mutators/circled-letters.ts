/** Enclosed alphanumerics; NFKC undoes them. */
import { createAlphabet, latinLetters } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const circles = Array.from({ length: 52 }, (_, i) => String.fromCharCode(0x24b6 + i)).join("");
const alphabet = createAlphabet(`${latinLetters}0123456789`, `${circles}⓪①②③④⑤⑥⑦⑧⑨`);

export default defineMutator({
  id: "circled-letters",
  group: "unicode",
  summary: "Letters and digits in circles",
  apply: (text) => alphabet.encode(text),
  invert: (text) => alphabet.decode(text),
  appliesTo: (text) => /[a-z0-9]/i.test(text),
  examples: [{ input: "No 5", output: "Ⓝⓞ ⑤" }],
});
