/** Every letter becomes a word that begins with it; the first letters read downwards are the text. */
import vocabulary from "../acrostic.json" with { type: "json" };
import { defineMutator } from "../mutator.ts";

const words: Readonly<Record<string, readonly string[]>> = vocabulary;
const fold = (text: string): string => text.toLowerCase();

export default defineMutator({
  id: "acrostic",
  group: "spelling",
  summary: "A word for each letter",
  apply: (text, rng) =>
    Array.from(fold(text), (sign) => (sign in words ? rng.pick(words[sign] as readonly string[]) : sign)).join("\n"),
  invert: (text) =>
    text
      .split("\n")
      .map((line) => (/^[a-z]{2,}$/.test(line) ? (line[0] as string) : line))
      .join(""),
  fold,
  appliesTo: (text) => /[a-z]/i.test(text) && !text.includes("\n"),
  examples: [],
});
