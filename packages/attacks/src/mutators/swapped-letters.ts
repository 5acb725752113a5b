/** Two inner letters of some longer words swapped, as fast typing does. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "swapped-letters",
  group: "spelling",
  summary: "Neighbouring letters change places",
  maxEdits: 0.2,
  apply(text, rng) {
    let left = Math.max(2, Math.floor(text.length * 0.15));
    return text.replaceAll(/\p{L}{4,}/gu, (word) => {
      if (left < 2 || rng.chance(0.35)) return word;
      left -= 2;
      const signs = [...word];
      const at = 1 + rng.int(Math.max(1, signs.length - 3));
      [signs[at], signs[at + 1]] = [signs[at + 1] as string, signs[at] as string];
      return signs.join("");
    });
  },
  appliesTo: (text) => text.length >= 20 && (text.match(/\p{L}{4,}/gu)?.length ?? 0) >= 4,
  examples: [],
});
