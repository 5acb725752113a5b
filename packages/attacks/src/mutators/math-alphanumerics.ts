/** One style of mathematical letters for the whole text; NFKC undoes them. */
import { defineMutator } from "../mutator.ts";

const styles = [0x1d400, 0x1d468, 0x1d4d0, 0x1d56c, 0x1d5a0, 0x1d5d4, 0x1d63c, 0x1d670];
const plain = (text: string): string => text.normalize("NFKC");

export default defineMutator({
  id: "math-alphanumerics",
  group: "unicode",
  summary: "Mathematical bold, script, Fraktur and monospace letters",
  apply(text, rng) {
    const start = rng.pick(styles);
    return text.replaceAll(/[a-z]/gi, (letter) =>
      String.fromCodePoint(start + letter.charCodeAt(0) - (letter <= "Z" ? 65 : 97 - 26)),
    );
  },
  invert: plain,
  fold: plain,
  appliesTo: (text) => /[a-z]/i.test(text),
  examples: [],
});
