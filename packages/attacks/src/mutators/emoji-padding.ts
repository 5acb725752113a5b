/** Emoji between words, which tokenizers cut in odd ways. */
import { defineMutator } from "../mutator.ts";

const signs = [..."🍋🌵🎈🧩🎻🪁🧵🛶🥨🧭"];
const strip = (text: string): string => text.replaceAll(/[🍋🌵🎈🧩🎻🪁🧵🛶🥨🧭]/gu, "");

export default defineMutator({
  id: "emoji-padding",
  group: "unicode",
  summary: "An emoji after some words",
  apply: (text, rng) => text.replaceAll(/(?<=\p{L}) /gu, () => (rng.chance(0.6) ? `${rng.pick(signs)} ` : " ")),
  invert: strip,
  fold: strip,
  appliesTo: (text) => (text.match(/(?<=\p{L}) /gu)?.length ?? 0) >= 4,
  examples: [],
});
