/** Every number of its own as words, digit by digit, joined by dashes. */
import { defineMutator } from "../mutator.ts";

const words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const digits = /(?<![\p{L}\d])\d+(?![\p{L}\d])/gu;
const spelled = new RegExp(`(?<!\\p{L})(?:${words.join("|")})(?:–(?:${words.join("|")}))*(?!\\p{L})`, "gu");
const read = (text: string): string =>
  text.replaceAll(spelled, (found) => Array.from(found.split("–"), (word) => words.indexOf(word)).join(""));

export default defineMutator({
  id: "spelled-digits",
  group: "word",
  summary: "Digits as words",
  apply: (text) => text.replaceAll(digits, (found) => Array.from(found, (digit) => words[Number(digit)]).join("–")),
  invert: read,
  fold: read,
  appliesTo: (text) => text.search(digits) >= 0 && !text.includes("–"),
  examples: [{ input: "room 407", output: "room four–zero–seven" }],
});
