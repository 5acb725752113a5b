/** Two to four marks above and below each letter. */
import { defineMutator } from "../mutator.ts";

const marks = Array.from({ length: 112 }, (_, i) => String.fromCharCode(0x300 + i)).filter(
  (mark) => !/[\u0340-\u0344\u034f]/.test(mark),
);
const strip = (text: string): string => text.normalize("NFD").replaceAll(/\p{M}/gu, "");

export default defineMutator({
  id: "zalgo",
  group: "unicode",
  summary: "Towers of combining marks",
  apply: (text, rng) =>
    text.replaceAll(/[a-z]/gi, (letter) => {
      let out = letter;
      for (let count = 2 + rng.int(3); count > 0; count--) out += rng.pick(marks);
      return out;
    }),
  invert: strip,
  fold: strip,
  appliesTo: (text) => /[a-z]/i.test(text),
  examples: [],
});
