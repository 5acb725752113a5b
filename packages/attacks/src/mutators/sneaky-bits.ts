/** U+2062 for zero and U+2064 for one behind a visible sentence. */
import { defineMutator } from "../mutator.ts";

const covers = ["Nothing to see.", "Just a test.", "Hello there!", "Short note."];
const groups = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(2).padStart(8, "0").replaceAll("0", "\u2062").replaceAll("1", "\u2064"),
);

export default defineMutator({
  id: "sneaky-bits",
  group: "unicode",
  summary: "Bits as two invisible operators",
  apply: (text, rng) => rng.pick(covers) + Array.from(Buffer.from(text), (byte) => groups[byte]).join(""),
  invert(text) {
    const bits = text
      .replaceAll(/[^\u2062\u2064]/g, "")
      .replaceAll("\u2062", "0")
      .replaceAll("\u2064", "1");
    return Buffer.from((bits.match(/.{8}/g) ?? []).map((group) => Number.parseInt(group, 2))).toString();
  },
  appliesTo: (text) => text.isWellFormed(),
  examples: [],
});
