/** Percent-encoding of every byte that is not a letter or digit, as a query string carries it. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "url-encode",
  group: "encoding",
  summary: "Percent-encoded as in a query string",
  apply: (text) => encodeURIComponent(text.toWellFormed()),
  invert: (text) => decodeURIComponent(text),
  appliesTo: (text) => text.isWellFormed() && /[^\w.~!*'()-]/.test(text),
  examples: [{ input: "a b?", output: "a%20b%3F" }],
});
