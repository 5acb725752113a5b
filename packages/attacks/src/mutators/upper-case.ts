/** The whole text shouted. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "upper-case",
  group: "spelling",
  summary: "Capitals only",
  apply: (text) => text.toUpperCase(),
  fold: (text) => text.toUpperCase().toLowerCase(),
  appliesTo: (text) => text.toUpperCase() !== text,
  examples: [{ input: "Stop.", output: "STOP." }],
});
