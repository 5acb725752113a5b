/** Numeric HTML entities for letters, decimal or hexadecimal. */
import { defineMutator } from "../mutator.ts";

const entity = /&#(?:x([0-9a-f]+)|(\d+));/gi;

export default defineMutator({
  id: "html-entities",
  group: "encoding",
  summary: "Numeric HTML entities for letters",
  apply: (text, rng) =>
    text.replaceAll(/\p{L}/gu, (letter) => {
      const code = letter.codePointAt(0) ?? 0;
      return rng.chance(0.5) ? `&#${code};` : `&#x${code.toString(16)};`;
    }),
  invert: (text) =>
    text.replaceAll(entity, (_, hex: string | undefined, decimal: string | undefined) =>
      String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)),
    ),
  appliesTo: (text) => /\p{L}/u.test(text) && !/&#/.test(text),
  examples: [],
});
