/** A random letter and U+0008 after some letters (BadCharacters, https://arxiv.org/abs/2106.09898). */
import { latinLetters } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const strip = (text: string): string =>
  text
    .split("\b")
    .map((part, i, all) => (i < all.length - 1 ? part.slice(0, -1) : part))
    .join("");

export default defineMutator({
  id: "backspace-pairs",
  group: "unicode",
  summary: "Letters that a backspace deletes",
  apply: (text, rng) =>
    text.replaceAll(/\p{L}/gu, (letter) => (rng.chance(0.35) ? `${letter}${latinLetters[rng.int(52)]}\u0008` : letter)),
  invert: strip,
  fold: strip,
  appliesTo: (text) => /\p{L}{3}/u.test(text),
  examples: [],
});
