/** Harmless words between the words; every second one counts. */
import { defineMutator } from "../mutator.ts";

const fillers = ["apple", "meadow", "cloud", "spoon", "velvet", "harbour", "pencil", "window"];

export default defineMutator({
  id: "interleaved-words",
  group: "order",
  summary: "A filler word after each word",
  apply: (text, rng) =>
    `Every other word:\n${text
      .trim()
      .split(/\s+/)
      .map((word) => `${word} ${rng.pick(fillers)}`)
      .join(" ")}`,
  invert: (text) =>
    text
      .slice(text.indexOf("\n") + 1)
      .split(" ")
      .filter((_, i) => i % 2 === 0)
      .join(" "),
  fold: (text) => text.trim().replaceAll(/\s+/g, " "),
  appliesTo: (text) => /\S\s+\S/.test(text),
  examples: [],
});
