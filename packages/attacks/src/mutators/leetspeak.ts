/** Digits for the letters they look like, on most letters. */
import { defineMutator } from "../mutator.ts";

const digits: Readonly<Record<string, string>> = { a: "4", e: "3", i: "1", o: "0", s: "5", t: "7" };
const letters = Object.fromEntries(Object.entries(digits).map(([letter, digit]) => [digit, letter]));

const fold = (text: string): string => text.toLowerCase().replaceAll(/[013457]/g, (digit) => letters[digit] ?? digit);

export default defineMutator({
  id: "leetspeak",
  group: "spelling",
  summary: "Digits for letters that look alike",
  apply: (text, rng) =>
    text.replaceAll(/[aeiost]/gi, (letter) => (rng.chance(0.75) ? (digits[letter.toLowerCase()] ?? letter) : letter)),
  invert: fold,
  fold,
  appliesTo: (text) => /[aeiost]/i.test(text),
  examples: [],
});
