/** A is 1, Z is 26, with hyphens between the letters of a word. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "letter-numbers",
  group: "encoding",
  summary: "Letters as their place in the alphabet",
  apply: (text) =>
    text.replaceAll(/[a-z]+/gi, (word) =>
      Array.from(word.toUpperCase(), (letter) => letter.charCodeAt(0) - 64).join("-"),
    ),
  invert: (text) =>
    text.replaceAll(/\d+(?:-\d+)*/g, (word) =>
      word
        .split("-")
        .map((place) => String.fromCharCode(96 + Number(place)))
        .join(""),
    ),
  fold: (text) => text.toLowerCase(),
  appliesTo: (text) => /[a-z]/i.test(text) && !/\d/.test(text) && !/[a-z]-[a-z]/i.test(text),
  examples: [{ input: "Go, cab", output: "7-15, 3-1-2" }],
});
