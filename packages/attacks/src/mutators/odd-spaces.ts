/** No-break, thin, em and ideographic spaces between words. */
import { defineMutator } from "../mutator.ts";

const spaces = ["\u00a0", "\u2002", "\u2003", "\u2009", "\u202f", "\u205f", "\u3000"];
const plain = (text: string): string => text.replaceAll(/[\u00a0\u2002\u2003\u2009\u202f\u205f\u3000]/g, " ");

export default defineMutator({
  id: "odd-spaces",
  group: "unicode",
  summary: "Other spaces than the plain one",
  apply: (text, rng) => text.replaceAll(" ", () => rng.pick(spaces)),
  invert: plain,
  fold: plain,
  appliesTo: (text) => text.includes(" "),
  examples: [],
});
