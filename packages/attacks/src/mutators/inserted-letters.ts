/** A stray letter inside some longer words. */
import { latinLetters } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "inserted-letters",
  group: "spelling",
  summary: "Letters too many",
  maxEdits: 0.15,
  apply(text, rng) {
    let left = Math.max(1, Math.floor(text.length * 0.12));
    return text.replaceAll(/\p{L}{4,}/gu, (word) => {
      if (left === 0 || rng.chance(0.3)) return word;
      left--;
      const signs = [...word];
      signs.splice(1 + rng.int(signs.length - 1), 0, latinLetters[26 + rng.int(26)] as string);
      return signs.join("");
    });
  },
  appliesTo: (text) => text.length >= 20 && (text.match(/\p{L}{4,}/gu)?.length ?? 0) >= 4,
  examples: [],
});
