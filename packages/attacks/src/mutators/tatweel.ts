/** The Arabic lengthening stroke between joined letters. */
import { defineMutator } from "../mutator.ts";

const strip = (text: string): string => text.replaceAll("\u0640", "");

export default defineMutator({
  id: "tatweel",
  group: "unicode",
  summary: "Arabic words drawn out",
  apply: (text, rng) =>
    text.replaceAll(/(?<=[بتثجحخسشصضطظعغفقكلمنهي])(?=[\u0621-\u064a])/g, () => "\u0640".repeat(rng.int(3))),
  invert: strip,
  fold: strip,
  appliesTo: (text) => /[بتثجحخسشصضطظعغفقكلمنهي][\u0621-\u064a]{2}/.test(text),
  examples: [],
});
