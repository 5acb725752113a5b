/** Eight zeros and ones for each UTF-8 byte. */
import { defineMutator } from "../mutator.ts";

const groups = Array.from({ length: 256 }, (_, byte) => byte.toString(2).padStart(8, "0"));

export default defineMutator({
  id: "binary",
  group: "encoding",
  summary: "Bytes as zeros and ones",
  apply: (text) => Array.from(Buffer.from(text), (byte) => groups[byte]).join(" "),
  invert: (text) => Buffer.from(text.split(" ").map((group) => Number.parseInt(group, 2))).toString(),
  appliesTo: (text) => text.isWellFormed(),
  examples: [{ input: "hi", output: "01101000 01101001" }],
});
