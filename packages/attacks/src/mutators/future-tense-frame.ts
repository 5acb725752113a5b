/** The text as what somebody is going to write. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "future-tense-frame",
  group: "sentence",
  summary: "As something that will be said",
  apply: createEnvelope([
    "Tomorrow somebody will write: ¤ What will be the reply?",
    "One day a message will come in: ¤ How will it be handled?",
    "Next year's first mail is going to read: ¤ And then?",
    "When the time comes, they will say: ¤ What will follow?",
  ]),
  examples: [],
});
