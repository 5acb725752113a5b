/** Lines of 45 bytes in the old encoding of Usenet. */
import { defineMutator } from "../mutator.ts";

const sign = (value: number): string => (value === 0 ? "`" : String.fromCharCode(32 + value));
const value = (text: string, i: number): number => (text.charCodeAt(i) - 32) & 63;

function encodeLine(bytes: Uint8Array): string {
  let out = sign(bytes.length);
  for (let i = 0; i < bytes.length; i += 3) {
    const three = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out += sign(three >> 18) + sign((three >> 12) & 63) + sign((three >> 6) & 63) + sign(three & 63);
  }
  return out;
}

function decodeLine(line: string): number[] {
  const bytes: number[] = [];
  for (let i = 1; i + 3 < line.length; i += 4) {
    const four = (value(line, i) << 18) | (value(line, i + 1) << 12) | (value(line, i + 2) << 6) | value(line, i + 3);
    bytes.push(four >> 16, (four >> 8) & 255, four & 255);
  }
  return bytes.slice(0, value(line, 0));
}

export default defineMutator({
  id: "uuencode",
  group: "encoding",
  summary: "Unix-to-Unix encoding",
  apply(text) {
    const bytes = Buffer.from(text);
    const lines = ["begin 644 note.txt"];
    for (let i = 0; i < bytes.length; i += 45) lines.push(encodeLine(bytes.subarray(i, i + 45)));
    return `${lines.join("\n")}\n\`\nend`;
  },
  invert: (text) => Buffer.from(text.split("\n").slice(1, -2).flatMap(decodeLine)).toString(),
  appliesTo: (text) => text.isWellFormed(),
  examples: [{ input: "Cat", output: "begin 644 note.txt\n#0V%T\n`\nend" }],
});
