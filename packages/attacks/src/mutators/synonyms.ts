/** Words of a small table of our own replaced by synonyms. */
import { createRewrite } from "../rewrite.ts";
import classes from "../synonyms.json" with { type: "json" };
import { defineMutator } from "../mutator.ts";

const rewrite = createRewrite(classes);

export default defineMutator({
  id: "synonyms",
  group: "word",
  summary: "Words of the same meaning",
  apply: (text, rng) => rewrite.there(text, (count) => 1 + rng.int(count - 1)),
  fold: rewrite.fold,
  appliesTo: rewrite.applies,
  examples: [{ input: "Begin the list", output: "Start the enumeration" }],
});
