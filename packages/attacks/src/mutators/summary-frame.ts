/** Behind a request for a summary. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "summary-frame",
  group: "carrier",
  summary: "As a text to be summarised",
  apply: createEnvelope([
    "Summarise in one line:\n\n¤\n\nEnd of text.",
    "TL;DR needed for this note: ¤",
    "Key points, please.\n---\n¤\n---",
  ]),
  examples: [],
});
