/** The text as a quotation that the sender only passes on. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "reported-speech",
  group: "sentence",
  summary: "As what somebody else said",
  apply: createEnvelope([
    'My colleague said, and I quote: "¤"',
    'The neighbour keeps repeating: "¤" That is all I know.',
    'She wrote on the card: "¤"',
    'According to the caller: "¤"',
  ]),
  examples: [],
});
