/** Letters that look turned by half a circle, in reverse order. */
import { createAlphabet } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const alphabet = createAlphabet("abcdefghijkmnpqrtuvwy?!.,'_&", "ɐqɔpǝɟƃɥᴉɾʞɯudbɹʇnʌʍʎ¿¡˙‘,‾⅋");
const reverse = (text: string): string => [...text].reverse().join("");

export default defineMutator({
  id: "upside-down",
  group: "unicode",
  summary: "Turned letters, read from the end",
  apply: (text) => reverse(alphabet.encode(text.toLowerCase())),
  invert: (text) => alphabet.decode(reverse(text)),
  fold: (text) => text.toLowerCase(),
  appliesTo: (text) => /[a-z]/i.test(text) && !/[ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ¿¡˙‘‾⅋]/.test(text),
  examples: [{ input: "map", output: "dɐɯ" }],
});
