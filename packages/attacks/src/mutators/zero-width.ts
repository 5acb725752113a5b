/** Invisible characters inside words. */
import { defineMutator } from "../mutator.ts";

const invisibles = ["\u200b", "\u200c", "\u2060", "\ufeff"];
const strip = (text: string): string => text.replaceAll(/[\u200b\u200c\u2060\ufeff]/g, "");

export default defineMutator({
  id: "zero-width",
  group: "unicode",
  summary: "Invisible characters inside words",
  apply: (text, rng) => text.replaceAll(/(?<=\p{L})(?=\p{L})/gu, () => (rng.chance(0.4) ? rng.pick(invisibles) : "")),
  invert: strip,
  fold: strip,
  appliesTo: (text) => /\p{L}\p{L}/u.test(text),
  examples: [],
});
