/** "um", "you know", "like" after some words, as in speech. */
import { defineMutator } from "../mutator.ts";

const strip = (text: string): string => text.replaceAll(/ (?:um|uh|er|like|you know|I mean|sort of|well),(?= )/g, "");
const fillers = ["um", "uh", "er", "like", "you know", "I mean", "sort of", "well"];

export default defineMutator({
  id: "filler-words",
  group: "word",
  summary: "Hesitation between words",
  apply: (text, rng) => text.replaceAll(/(?<=\p{L}) /gu, () => (rng.chance(0.3) ? ` ${rng.pick(fillers)}, ` : " ")),
  invert: strip,
  fold: strip,
  appliesTo: (text) => (text.match(/(?<=\p{L}) /gu)?.length ?? 0) >= 8,
  examples: [],
});
