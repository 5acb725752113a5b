/** The first consonants of neighbouring words change places; doing it again turns it back. */
import { defineMutator } from "../mutator.ts";

const exchange = (text: string): string =>
  text.replaceAll(/(?<![a-z'])([b-df-hj-np-tv-z])([a-z]+) ([b-df-hj-np-tv-z])([a-z]+)(?![a-z'])/g, "$3$2 $1$4");

export default defineMutator({
  id: "spoonerisms",
  group: "word",
  summary: "First letters exchanged",
  apply: exchange,
  invert: exchange,
  appliesTo: (text) => exchange(text) !== text && exchange(exchange(text)) === text,
  examples: [{ input: "print the code", output: "trint phe code" }],
});
