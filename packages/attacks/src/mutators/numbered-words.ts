/** Words in random order, each with its place in the sentence. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "numbered-words",
  group: "order",
  summary: "Shuffled words with their places",
  apply: (text, rng) =>
    rng
      .shuffle(
        text
          .trim()
          .split(/\s+/)
          .map((word, i) => `${word}(${i + 1})`),
      )
      .join(" "),
  invert: (text) =>
    text
      .split(" ")
      .map((word) => /^(.*)\((\d+)\)$/s.exec(word) ?? ["", word, "0"])
      .sort((a, b) => Number(a[2]) - Number(b[2]))
      .map(([, word]) => word)
      .join(" "),
  fold: (text) => text.trim().replaceAll(/\s+/g, " "),
  appliesTo: (text) => /\S\s+\S+\s+\S/.test(text),
  examples: [],
});
