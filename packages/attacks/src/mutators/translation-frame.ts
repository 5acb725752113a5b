/** Between a request for a translation and its details. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "translation-frame",
  group: "carrier",
  summary: "As a text to be translated",
  apply: createEnvelope([
    'Please translate into Finnish: "¤" It is for a postcard.',
    "How would you say this in Greek? ¤",
    "English: ¤\nSwahili:",
  ]),
  examples: [],
});
