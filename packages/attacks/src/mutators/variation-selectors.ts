/** Each UTF-8 byte as a variation selector behind one emoji: the text cannot be seen at all. */
import { defineMutator } from "../mutator.ts";

const covers = ["😊", "👍 thanks", "See you ✨", "📎", "Good morning ☀"];
const selector = (byte: number): string => String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16);
const selectors = Array.from({ length: 256 }, (_, byte) => selector(byte));
const bytes = new Map(selectors.map((sign, byte) => [sign, byte]));

export default defineMutator({
  id: "variation-selectors",
  group: "unicode",
  summary: "Bytes as invisible variation selectors behind an emoji",
  apply: (text, rng) => rng.pick(covers) + Array.from(Buffer.from(text), (byte) => selectors[byte]).join(""),
  invert: (text) => Buffer.from(Array.from(text).flatMap((sign) => bytes.get(sign) ?? [])).toString(),
  appliesTo: (text) => text.isWellFormed(),
  examples: [],
});
