/** Every second letter is a capital. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "alternating-case",
  group: "spelling",
  summary: "sMaLl AnD lArGe",
  apply: (text) => {
    let count = 0;
    return text.replaceAll(/\p{L}/gu, (letter) => (count++ % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase()));
  },
  fold: (text) => text.toUpperCase().toLowerCase(),
  appliesTo: (text) => (text.match(/[a-z]/gi)?.length ?? 0) >= 4,
  examples: [{ input: "Print it", output: "pRiNt It" }],
});
