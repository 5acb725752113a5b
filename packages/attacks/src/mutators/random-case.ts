/** Upper and lower case at random. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "random-case",
  group: "spelling",
  summary: "Upper and lower case at random",
  apply: (text, rng) => [...text].map((char) => (rng.chance(0.5) ? char.toUpperCase() : char.toLowerCase())).join(""),
  invert: (text) => text.toLowerCase(),
  fold: (text) => text.toUpperCase().toLowerCase(),
  appliesTo: (text) => text.toLowerCase() !== text.toUpperCase(),
  examples: [],
});
