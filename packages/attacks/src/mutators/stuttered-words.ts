/** Some words written twice in a row. */
import { defineMutator } from "../mutator.ts";

const fold = (text: string): string => text.replaceAll(/(?<![\p{L}\p{N}])(\p{L}+)(?: \1(?![\p{L}\p{N}]))+/giu, "$1");

export default defineMutator({
  id: "stuttered-words",
  group: "word",
  summary: "Words twice",
  apply: (text, rng) =>
    text.replaceAll(/(?<![\p{L}\p{N}])\p{L}+(?= )/gu, (word) => (rng.chance(0.35) ? `${word} ${word}` : word)),
  invert: fold,
  fold,
  appliesTo: (text) => (text.match(/(?<![\p{L}\p{N}])\p{L}+ /gu)?.length ?? 0) >= 6,
  examples: [],
});
