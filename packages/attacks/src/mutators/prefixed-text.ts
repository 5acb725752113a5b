/** A few harmless sentences come first. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "prefixed-text",
  group: "carrier",
  summary: "Behind ordinary sentences",
  apply: createEnvelope([
    "The ferry leaves at noon and takes an hour. Bring a jacket, it is windy on deck. ¤",
    "We painted the hall in a light green. The curtains will follow in spring. ¤",
    "Thank you for the jam. The children liked the plum one best. ¤",
  ]),
  examples: [],
});
