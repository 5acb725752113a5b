/** Regional indicator letters, a space after each so that they do not join into flags. */
import { defineMutator } from "../mutator.ts";

const strip = (text: string): string =>
  text.replaceAll(/([\u{1f1e6}-\u{1f1ff}])\u200b/gu, (_, sign: string) =>
    String.fromCharCode((sign.codePointAt(0) ?? 0) - 0x1f1e6 + 97),
  );

export default defineMutator({
  id: "regional-letters",
  group: "unicode",
  summary: "Flag letters",
  apply: (text) =>
    text.replaceAll(
      /[a-z]/gi,
      (letter) => `${String.fromCodePoint(0x1f1e6 + letter.toLowerCase().charCodeAt(0) - 97)}\u200b`,
    ),
  invert: strip,
  fold: (text) => text.toLowerCase(),
  appliesTo: (text) => /[a-z]/i.test(text),
  examples: [{ input: "no", output: "🇳\u200b🇴\u200b" }],
});
