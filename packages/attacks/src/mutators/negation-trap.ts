/** The text stands behind a double negation that leaves its meaning. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "negation-trap",
  group: "sentence",
  summary: "Framed by negations",
  apply: createEnvelope([
    "It is not so that the following does not count: ¤",
    "Nobody says that this is not meant: ¤",
    "Not that anyone would not have written: ¤",
    "I do not deny that the text is: ¤",
  ]),
  examples: [],
});
