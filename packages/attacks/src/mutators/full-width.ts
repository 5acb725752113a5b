/** Full-width forms of printable ASCII, as East Asian fonts have them. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "full-width",
  group: "unicode",
  summary: "Full-width forms of ASCII",
  apply: (text) =>
    text.replaceAll(/[!-~]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0)).replaceAll(" ", "\u3000"),
  invert: (text) =>
    text
      .replaceAll(/[\uff01-\uff5e]/g, (char) => String.fromCharCode(char.charCodeAt(0) - 0xfee0))
      .replaceAll("\u3000", " "),
  fold: (text) => text.normalize("NFKC"),
  appliesTo: (text) => /[!-~]/.test(text),
  examples: [{ input: "Hi 5", output: "Ｈｉ　５" }],
});
