/** The whole text in invisible tag characters (U+E0020 to U+E007E) behind a visible greeting. */
import { defineMutator } from "../mutator.ts";

const covers = ["Hello!", "Nice weather today.", "See below.", "👍", "Any thoughts on this?"];
const offset = 0xe0000;

export default defineMutator({
  id: "tag-characters",
  group: "unicode",
  summary: "ASCII as invisible tag characters behind a greeting",
  apply: (text, rng) =>
    rng.pick(covers) + [...text].map((char) => String.fromCodePoint(offset + (char.codePointAt(0) ?? 0))).join(""),
  invert: (text) =>
    [...text]
      .map((char) => char.codePointAt(0) ?? 0)
      .filter((code) => code >= offset && code <= offset + 0x7f)
      .map((code) => String.fromCodePoint(code - offset))
      .join(""),
  appliesTo: (text) => /^[\n -~]+$/.test(text),
  examples: [],
});
