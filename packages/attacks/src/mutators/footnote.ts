/** Below a text that does not need it. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "footnote",
  group: "carrier",
  summary: "As a footnote",
  apply: createEnvelope([
    "The bridge was built in 1911.[1]\n\n[1] ¤",
    "Prices include breakfast.*\n\n* ¤",
    "See the map.[^a]\n\n[^a]: ¤",
  ]),
  examples: [],
});
