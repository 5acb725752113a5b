/** With stars before and a date after. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "review-carrier",
  group: "carrier",
  summary: "As a customer review",
  apply: createEnvelope([
    "★★★☆☆ Decent kettle. ¤ Reviewed in May.",
    "Rating: 4 of 5\nPros: quiet\nCons: none\nComment: ¤",
    '"Nice stay." ¤ (verified guest)',
  ]),
  examples: [],
});
