/** U+00AD, which browsers show only at a line's end. */
import { defineMutator } from "../mutator.ts";

const strip = (text: string): string => text.replaceAll("\u00ad", "");

export default defineMutator({
  id: "soft-hyphens",
  group: "unicode",
  summary: "Invisible hyphens inside words",
  apply: (text, rng) => text.replaceAll(/(?<=\p{L})(?=\p{L})/gu, () => (rng.chance(0.45) ? "\u00ad" : "")),
  invert: strip,
  fold: strip,
  appliesTo: (text) => /\p{L}{5}/u.test(text),
  examples: [],
});
