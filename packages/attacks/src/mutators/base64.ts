/** Base64 of the UTF-8 bytes behind a neutral lead. */
import { defineMutator } from "../mutator.ts";

const leads = ["Base64: ", "Decode first, then read: ", "Message in Base64 follows.\n", "b64 -> "];

export default defineMutator({
  id: "base64",
  group: "encoding",
  summary: "Base64 of the text behind a neutral lead",
  apply: (text, rng) => rng.pick(leads) + Buffer.from(text.toWellFormed()).toString("base64"),
  invert: (text) => Buffer.from(/[A-Za-z0-9+/]*={0,2}$/.exec(text)?.[0] ?? "", "base64").toString(),
  appliesTo: (text) => text.isWellFormed(),
  examples: [],
});
