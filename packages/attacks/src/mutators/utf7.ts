/** UTF-7 (RFC 2152) with every letter run in its Base64 form, an old way past filters. */
import { defineMutator } from "../mutator.ts";

const encodeRun = (run: string): string =>
  `+${Buffer.from(run, "utf16le").swap16().toString("base64").replaceAll("=", "")}-`;
const decodeRun = (body: string): string => {
  const bytes = Buffer.from(body, "base64");
  return bytes
    .subarray(0, bytes.length & ~1)
    .swap16()
    .toString("utf16le");
};

export default defineMutator({
  id: "utf7",
  group: "encoding",
  summary: "UTF-7 for runs of letters",
  apply: (text) => text.replaceAll("+", "+-").replaceAll(/(?:(?!\+)[^ -,./0-9:-@[-`{-~\n-])+/g, encodeRun),
  invert: (text) => text.replaceAll(/\+([A-Za-z0-9+/]*)-/g, (_, body: string) => (body === "" ? "+" : decodeRun(body))),
  appliesTo: (text) => /\p{L}/u.test(text),
  examples: [{ input: "a + b", output: "+AGE- +- +AGI-" }],
});
