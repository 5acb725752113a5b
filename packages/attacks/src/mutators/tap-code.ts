/** Row and column in a square of five by five; K is written as C. */
import { defineMutator } from "../mutator.ts";

const square = "ABCDEFGHIJLMNOPQRSTUVWXYZ";
const place = (letter: string): string => {
  const at = square.indexOf(letter === "K" ? "C" : letter);
  return `${Math.floor(at / 5) + 1}${(at % 5) + 1}`;
};

export default defineMutator({
  id: "tap-code",
  group: "encoding",
  summary: "The knock code of prisoners",
  apply: (text) => text.toUpperCase().replaceAll(/[A-Z]/g, (letter) => `${place(letter)} `),
  invert: (text) =>
    text.replaceAll(
      /([1-5])([1-5]) /g,
      (_, row: string, column: string) => square[(Number(row) - 1) * 5 + Number(column) - 1] ?? "",
    ),
  fold: (text) => text.toUpperCase().replaceAll("K", "C"),
  appliesTo: (text) => /[a-z]/i.test(text) && !/[0-9]/.test(text),
  examples: [{ input: "at", output: "11 44 " }],
});
