/** Cyrillic and Greek letters for the Latin letters they look like. */
import { defineMutator } from "../mutator.ts";

const lookalikes: Readonly<Record<string, string>> = {
  a: "а",
  c: "с",
  e: "е",
  i: "і",
  j: "ј",
  o: "о",
  p: "р",
  s: "ѕ",
  x: "х",
  y: "у",
  A: "А",
  B: "В",
  E: "Е",
  H: "Н",
  K: "К",
  M: "М",
  O: "О",
  P: "Р",
  T: "Т",
  v: "ν",
};
const latin = Object.fromEntries(Object.entries(lookalikes).map(([letter, other]) => [other, letter]));
const undo = (text: string): string => [...text].map((char) => latin[char] ?? char).join("");

export default defineMutator({
  id: "homoglyph",
  group: "unicode",
  summary: "Cyrillic and Greek letters that look Latin",
  apply: (text, rng) => [...text].map((char) => (rng.chance(0.5) ? (lookalikes[char] ?? char) : char)).join(""),
  invert: undo,
  fold: undo,
  appliesTo: (text) => /[aceijopsxyv]/i.test(text),
  examples: [],
});
