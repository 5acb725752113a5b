/** Letters of other scripts for the Latin letters they look like; the table is the one the engine's views fold with. */
import { foreignHomoglyphs } from "@mlsec/engine/views";
import { defineMutator } from "../mutator.ts";

const lookalikes = new Map<string, string[]>();
for (const [other, letter] of Object.entries(foreignHomoglyphs)) {
  if (!/^[a-z]$/i.test(letter)) continue;
  lookalikes.set(letter, [...(lookalikes.get(letter) ?? []), other]);
}
const undo = (text: string): string => [...text].map((char) => foreignHomoglyphs[char] ?? char).join("");

export default defineMutator({
  id: "homoglyph",
  group: "unicode",
  summary: "Letters of other scripts that look Latin",
  apply: (text, rng) =>
    [...text]
      .map((char) => {
        const others = lookalikes.get(char);
        return others && rng.chance(0.4) ? rng.pick(others) : char;
      })
      .join(""),
  invert: undo,
  fold: undo,
  appliesTo: (text) => /[aceijopsxy]/i.test(text),
  examples: [],
});
