/** Hexadecimal of the UTF-8 bytes behind a neutral lead. */
import { defineMutator } from "../mutator.ts";

const leads = ["Hex: ", "Bytes of the message: ", "hex dump\n", "payload="];

export default defineMutator({
  id: "hex",
  group: "encoding",
  summary: "Hexadecimal bytes behind a neutral lead",
  apply: (text, rng) => rng.pick(leads) + Buffer.from(text.toWellFormed()).toString("hex"),
  invert: (text) => Buffer.from(/(?:[0-9a-f]{2})*$/.exec(text)?.[0] ?? "", "hex").toString(),
  appliesTo: (text) => text.isWellFormed(),
  examples: [],
});
