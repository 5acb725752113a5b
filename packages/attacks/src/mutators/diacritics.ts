/** Combining marks on letters. */
import { defineMutator } from "../mutator.ts";

const marks = ["\u0301", "\u0300", "\u0323", "\u0307", "\u0332"];
const strip = (text: string): string => text.normalize("NFD").replaceAll(/\p{M}/gu, "");

export default defineMutator({
  id: "diacritics",
  group: "unicode",
  summary: "Combining marks on Latin letters",
  apply: (text, rng) => text.replaceAll(/[a-z]/gi, (letter) => (rng.chance(0.5) ? letter + rng.pick(marks) : letter)),
  invert: strip,
  fold: strip,
  appliesTo: (text) => /[a-z]/i.test(text),
  examples: [],
});
