/** The combining long stroke after every letter and digit. */
import { defineMutator } from "../mutator.ts";

const strip = (text: string): string => text.replaceAll(/[\u0336\u0335\u0338]/g, "");

export default defineMutator({
  id: "strike-through",
  group: "unicode",
  summary: "A line through each letter",
  apply: (text) => text.replaceAll(/[\p{L}\p{N}]/gu, (sign) => `${sign}\u0336`),
  invert: strip,
  appliesTo: (text) => /[\p{L}\p{N}]/u.test(text) && strip(text) === text,
  examples: [{ input: "no", output: "n\u0336o\u0336" }],
});
