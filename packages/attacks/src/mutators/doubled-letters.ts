/** Some letters drawn out, as in chat. */
import { defineMutator } from "../mutator.ts";

const fold = (text: string): string => text.replaceAll(/(\p{L})\1+/giu, "$1");

export default defineMutator({
  id: "doubled-letters",
  group: "spelling",
  summary: "Letters written twice or three times",
  apply: (text, rng) =>
    text.replaceAll(/\p{Ll}/gu, (letter) => (rng.chance(0.2) ? letter.repeat(2 + rng.int(2)) : letter)),
  invert: fold,
  fold,
  appliesTo: (text) => (text.match(/\p{Ll}/gu)?.length ?? 0) >= 20,
  examples: [],
});
