/** Base32 (RFC 4648) of the UTF-8 bytes behind a neutral lead. */
import { createLead } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const lead = createLead(["Base32:", "In base32:", "The note, RFC 4648 alphabet:"]);

function encode(bytes: Uint8Array): string {
  let out = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) out += digits[(held >> (bits - 5)) & 31];
  }
  if (bits > 0) out += digits[(held << (5 - bits)) & 31];
  return out.padEnd(Math.ceil(out.length / 8) * 8, "=");
}

function decode(text: string): Buffer {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const sign of text.replaceAll("=", "")) {
    held = ((held << 5) | digits.indexOf(sign)) & 0xfff;
    bits += 5;
    if (bits >= 8) bytes.push((held >> (bits -= 8)) & 0xff);
  }
  return Buffer.from(bytes);
}

export default defineMutator({
  id: "base32",
  group: "encoding",
  summary: "Base32 of the UTF-8 bytes",
  apply: (text, rng) => lead.put(encode(Buffer.from(text)), rng),
  invert: (text) => decode(lead.take(text)).toString(),
  appliesTo: (text) => text.isWellFormed(),
  examples: [],
});
