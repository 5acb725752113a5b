/** Sixteen emoji as hexadecimal digits. */
import { defineMutator } from "../mutator.ts";

const signs = [..."😀😃😄😁😆😅😂🙂🙃😉😊😇🥰😍🤩😘"];
const pairs = Array.from({ length: 256 }, (_, byte) => `${signs[byte >> 4]}${signs[byte & 15]}`);
const values = new Map(signs.map((sign, i) => [sign, i]));

export default defineMutator({
  id: "emoji-bytes",
  group: "encoding",
  summary: "Bytes as pairs of emoji",
  apply: (text) => Array.from(Buffer.from(text), (byte) => pairs[byte]).join(""),
  invert(text) {
    const digits = Array.from(text, (sign) => values.get(sign) ?? 0);
    return Buffer.from(
      digits.filter((_, i) => i % 2 === 0).map((high, i) => high * 16 + (digits[2 * i + 1] ?? 0)),
    ).toString();
  },
  appliesTo: (text) => text.isWellFormed(),
  examples: [{ input: "A", output: "😆😃" }],
});
