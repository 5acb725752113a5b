/** Bytes packed into 16,384 ideographs, the idea of Base2048 and Base32768. */
import { defineMutator } from "../mutator.ts";

const first = 0x4e00;

export default defineMutator({
  id: "han-packed",
  group: "encoding",
  summary: "Fourteen bits in a Chinese character",
  apply(text) {
    const bytes = Buffer.from(text);
    const units = [first + bytes.length];
    let held = 0;
    let bits = 0;
    for (const byte of bytes) {
      held = ((held << 8) | byte) & 0x3fffff;
      bits += 8;
      if (bits >= 14) units.push(first + ((held >> (bits -= 14)) & 0x3fff));
    }
    if (bits > 0) units.push(first + ((held << (14 - bits)) & 0x3fff));
    return units.map((unit) => String.fromCharCode(unit)).join("");
  },
  invert(text) {
    const bytes: number[] = [];
    let held = 0;
    let bits = 0;
    for (let i = 1; i < text.length; i++) {
      held = ((held << 14) | (text.charCodeAt(i) - first)) & 0x3fffff;
      for (bits += 14; bits >= 8; bits -= 8) bytes.push((held >> (bits - 8)) & 255);
    }
    return Buffer.from(bytes.slice(0, text.charCodeAt(0) - first)).toString();
  },
  appliesTo: (text) => text.isWellFormed() && text.length < 4_000,
  examples: [{ input: "a", output: "丁晀" }],
});
