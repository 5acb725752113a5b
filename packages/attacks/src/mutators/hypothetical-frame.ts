/** The text as a mere supposition. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "hypothetical-frame",
  group: "sentence",
  summary: "As something supposed",
  apply: createEnvelope([
    "Suppose for a moment that a note said: ¤ What then?",
    "Let us imagine the following line: ¤ Where would that take us?",
    "Purely hypothetically: ¤",
    "If one were to read, say: ¤ what would one think?",
  ]),
  examples: [],
});
