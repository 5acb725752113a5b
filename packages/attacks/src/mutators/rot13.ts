/** Every Latin letter moved by thirteen places. */
import { defineMutator } from "../mutator.ts";

const rotate = (text: string): string =>
  text.replaceAll(/[a-z]/gi, (letter) => {
    const start = letter <= "Z" ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - start + 13) % 26) + start);
  });

export default defineMutator({
  id: "rot13",
  group: "encoding",
  summary: "Latin letters moved by thirteen places",
  apply: (text) => `ROT13: ${rotate(text)}`,
  invert: (text) => rotate(text.slice("ROT13: ".length)),
  appliesTo: (text) => /[a-z]/i.test(text),
  examples: [{ input: "hello", output: "ROT13: uryyb" }],
});
