/** A substitution that is drawn anew for each text and stands before it (https://arxiv.org/abs/2410.01294). */
import { createAlphabet, latinLetters } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const letters = latinLetters.slice(26);
const read = (key: string) => createAlphabet(latinLetters, key.toUpperCase() + key);

export default defineMutator({
  id: "bijection",
  group: "encoding",
  summary: "A random alphabet with its key",
  apply(text, rng) {
    const key = rng.shuffle([...letters]).join("");
    return `${letters} = ${key}\n${read(key).encode(text)}`;
  },
  invert: (text) => read(text.slice(29, 55)).decode(text.slice(56)),
  appliesTo: (text) => /[a-z]/i.test(text),
  examples: [],
});
