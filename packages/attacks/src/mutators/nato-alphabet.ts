/** Each letter as a word of the spelling alphabet. */
import { defineMutator } from "../mutator.ts";

const words =
  "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec Romeo Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu".split(
    " ",
  );
const letters = new Map(words.map((word, i) => [word, String.fromCharCode(97 + i)]));
const spell = (sign: string): string => {
  if (/[a-z]/i.test(sign)) return words[sign.toLowerCase().charCodeAt(0) - 97] ?? sign;
  return sign === " " ? "(space)" : sign === "\n" ? "(line)" : sign;
};
const read = (word: string): string =>
  letters.get(word) ?? (word === "(space)" ? " " : word === "(line)" ? "\n" : word);

export default defineMutator({
  id: "nato-alphabet",
  group: "encoding",
  summary: "The spelling alphabet of radio",
  apply: (text) => Array.from(text, spell).join(" "),
  invert: (text) => text.split(" ").map(read).join(""),
  fold: (text) => text.toLowerCase(),
  appliesTo: (text) => /[a-z]/i.test(text) && !/[^\S\n ]/.test(text),
  examples: [{ input: "to Bo", output: "Tango Oscar (space) Bravo Oscar" }],
});
