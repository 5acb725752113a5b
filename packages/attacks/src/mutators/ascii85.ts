/** Ascii85 as in PostScript: four bytes as five printable signs. */
import { createLead } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const lead = createLead(["Ascii85:", "The text in base 85:", "From a PostScript file:"]);

function encode(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 4) {
    const count = Math.min(4, bytes.length - i);
    let value = 0;
    for (let k = 0; k < 4; k++) value = value * 256 + (k < count ? (bytes[i + k] ?? 0) : 0);
    let group = "";
    for (let k = 0; k < 5; k++, value = Math.floor(value / 85)) group = String.fromCharCode(33 + (value % 85)) + group;
    out += group.slice(0, count + 1);
  }
  return `<~${out}~>`;
}

function decode(text: string): Buffer {
  const body = text.slice(2, -2);
  const bytes: number[] = [];
  for (let i = 0; i < body.length; i += 5) {
    const group = body.slice(i, i + 5);
    let value = 0;
    for (let k = 0; k < 5; k++) value = value * 85 + (k < group.length ? group.charCodeAt(k) - 33 : 84);
    for (let k = 0; k < group.length - 1; k++) bytes.push(Math.floor(value / 256 ** (3 - k)) % 256);
  }
  return Buffer.from(bytes);
}

export default defineMutator({
  id: "ascii85",
  group: "encoding",
  summary: "Ascii85 of the UTF-8 bytes",
  apply: (text, rng) => lead.put(encode(Buffer.from(text)), rng),
  invert: (text) => decode(lead.take(text)).toString(),
  appliesTo: (text) => text.isWellFormed(),
  examples: [],
});
