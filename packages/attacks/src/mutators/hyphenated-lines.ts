/** Broken into narrow lines as in a newspaper column, words cut by hyphens. */
import { defineMutator } from "../mutator.ts";

const strip = (text: string): string => text.replaceAll("-\n", "");

export default defineMutator({
  id: "hyphenated-lines",
  group: "spelling",
  summary: "Narrow lines with hyphens",
  apply: (text, rng) =>
    text.replaceAll(/\p{L}{5,}/gu, (word) => (rng.chance(0.6) ? `${word.slice(0, 3)}-\n${word.slice(3)}` : word)),
  invert: strip,
  fold: strip,
  appliesTo: (text) =>
    (text.match(/\p{L}{5,}/gu)?.length ?? 0) >= 4 && text.isWellFormed() && !/[\ud800-\udfff]/.test(text),
  examples: [],
});
