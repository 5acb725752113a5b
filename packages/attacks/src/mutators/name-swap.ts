/** Each known name becomes the name seven places on in the list, so that it can be turned back. */
import vocabulary from "../vocabulary.json" with { type: "json" };
import { createRotation } from "../rewrite.ts";
import { defineMutator } from "../mutator.ts";

const rotation = createRotation([vocabulary.first, vocabulary.last], 7);

export default defineMutator({
  id: "name-swap",
  group: "word",
  summary: "Other names of people",
  apply: rotation.there,
  invert: rotation.back,
  appliesTo: rotation.applies,
  examples: [{ input: "Write to Amara.", output: "Write to Leila." }],
});
