/** A backslash, the hexadecimal number and a space for each letter, as style sheets allow it. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "css-escapes",
  group: "encoding",
  summary: "CSS escapes for letters",
  apply: (text) => text.replaceAll(/\p{L}/gu, (letter) => `\\${(letter.codePointAt(0) ?? 0).toString(16)} `),
  invert: (text) =>
    text.replaceAll(/\\([0-9a-f]{1,6}) /g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16))),
  appliesTo: (text) => /\p{L}/u.test(text) && !text.includes("\\"),
  examples: [{ input: "ok!", output: "\\6f \\6b !" }],
});
