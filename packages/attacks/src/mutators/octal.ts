/** `\NNN` for each UTF-8 byte, as in C and in shells. */
import { defineMutator } from "../mutator.ts";

const escapes = Array.from({ length: 256 }, (_, byte) => `\\${byte.toString(8).padStart(3, "0")}`);

export default defineMutator({
  id: "octal",
  group: "encoding",
  summary: "Bytes as octal escapes",
  apply: (text) => Array.from(Buffer.from(text), (byte) => escapes[byte]).join(""),
  invert: (text) => Buffer.from((text.match(/[0-7]{3}/g) ?? []).map((code) => Number.parseInt(code, 8))).toString(),
  appliesTo: (text) => text.isWellFormed(),
  examples: [{ input: "hi", output: "\\150\\151" }],
});
