/** A Caesar cipher that names its shift. */
import { defineMutator } from "../mutator.ts";

const shifted = (text: string, by: number): string =>
  text.replaceAll(/[a-z]/gi, (letter) => {
    const start = letter <= "Z" ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - start + by) % 26) + start);
  });

export default defineMutator({
  id: "caesar",
  group: "encoding",
  summary: "Latin letters moved by a few places",
  apply(text, rng) {
    const by = 3 + rng.int(8);
    return `Caesar ${by}:\n${shifted(text, by)}`;
  },
  invert: (text) => shifted(text.slice(text.indexOf("\n") + 1), 26 - Number(/\d+/.exec(text)?.[0])),
  appliesTo: (text) => /[a-z]/i.test(text),
  examples: [],
});
