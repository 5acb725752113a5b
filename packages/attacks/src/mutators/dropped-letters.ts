/** One inner letter missing from some longer words. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "dropped-letters",
  group: "spelling",
  summary: "Letters left out",
  maxEdits: 0.15,
  apply(text, rng) {
    let left = Math.max(1, Math.floor(text.length * 0.12));
    return text.replaceAll(/\p{L}{4,}/gu, (word) => {
      if (left === 0 || rng.chance(0.3)) return word;
      left--;
      const signs = [...word];
      signs.splice(1 + rng.int(signs.length - 2), 1);
      return signs.join("");
    });
  },
  appliesTo: (text) => text.length >= 20 && (text.match(/\p{L}{4,}/gu)?.length ?? 0) >= 4,
  examples: [],
});
