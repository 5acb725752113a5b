/** The text as something that is asked about. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "question-frame",
  group: "sentence",
  summary: "As the object of a question",
  apply: createEnvelope([
    "What would you say to this: ¤",
    "How does one answer the following? ¤",
    "What comes to mind when you read: ¤",
    "Can you make sense of this? ¤",
  ]),
  examples: [],
});
