/** Each known city becomes the city seven places on in the list, so that it can be turned back. */
import vocabulary from "../vocabulary.json" with { type: "json" };
import { createRotation } from "../rewrite.ts";
import { defineMutator } from "../mutator.ts";

const rotation = createRotation([vocabulary.city], 7);

export default defineMutator({
  id: "city-swap",
  group: "word",
  summary: "Other places",
  apply: rotation.there,
  invert: rotation.back,
  appliesTo: rotation.applies,
  examples: [{ input: "from Lyon", output: "from Izmir" }],
});
