/** `\uXXXX` escapes as in JSON or source code. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "unicode-escapes",
  group: "encoding",
  summary: "Letters as \\uXXXX escapes",
  apply: (text) =>
    text.replaceAll(/\p{L}/gu, (letter) =>
      letter
        .split("")
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
        .join(""),
    ),
  invert: (text) =>
    text.replaceAll(/\\u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
  appliesTo: (text) => /\p{L}/u.test(text) && !text.includes("\\u"),
  examples: [{ input: "ab", output: "\\u0061\\u0062" }],
});
