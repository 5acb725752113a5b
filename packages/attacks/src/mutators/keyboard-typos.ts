/** Some letters replaced by a key beside them on a QWERTY keyboard. */
import { defineMutator } from "../mutator.ts";

const rows = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
const beside = new Map(
  rows.flatMap((row) =>
    [...row].map((key, i): [string, string[]] => [key, [row[i - 1], row[i + 1]].filter((k) => k !== undefined)]),
  ),
);

export default defineMutator({
  id: "keyboard-typos",
  group: "spelling",
  summary: "Neighbouring keys",
  maxEdits: 0.15,
  apply(text, rng) {
    let left = Math.max(1, Math.floor(text.length * 0.12));
    return text.replaceAll(/[a-z]/g, (letter) => {
      if (left === 0 || !rng.chance(0.1)) return letter;
      left--;
      return rng.pick(beside.get(letter) ?? [letter]);
    });
  },
  appliesTo: (text) => (text.match(/[a-z]/g)?.length ?? 0) >= 40,
  examples: [],
});
