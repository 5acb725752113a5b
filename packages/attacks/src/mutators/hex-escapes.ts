/** `\xNN` for each UTF-8 byte, as in Python and C. */
import { defineMutator } from "../mutator.ts";

const escapes = Array.from({ length: 256 }, (_, byte) => `\\x${byte.toString(16).padStart(2, "0")}`);

export default defineMutator({
  id: "hex-escapes",
  group: "encoding",
  summary: "`\\xNN` escapes of the bytes",
  apply: (text) => Array.from(Buffer.from(text), (byte) => escapes[byte]).join(""),
  invert: (text) => Buffer.from(text.replaceAll("\\x", ""), "hex").toString(),
  appliesTo: (text) => text.isWellFormed(),
  examples: [{ input: "hi", output: "\\x68\\x69" }],
});
