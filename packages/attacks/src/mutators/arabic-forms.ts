/** Compatibility code points for the shapes of Arabic letters; NFKC undoes them. */
import { defineMutator } from "../mutator.ts";

const forms = new Map<string, string[]>();
for (let code = 0xfe80; code <= 0xfef4; code++) {
  const form = String.fromCharCode(code);
  const letter = form.normalize("NFKC");
  if (letter.length === 1 && letter !== form) forms.set(letter, [...(forms.get(letter) ?? []), form]);
}
const plain = (text: string): string => text.normalize("NFKC");

export default defineMutator({
  id: "arabic-forms",
  group: "unicode",
  summary: "Arabic presentation forms",
  apply: (text, rng) => text.replaceAll(/[\u0621-\u064a]/g, (letter) => rng.pick(forms.get(letter) ?? [letter])),
  invert: plain,
  fold: plain,
  appliesTo: (text) => /[\u0627-\u063a\u0641-\u064a]{2}/.test(text),
  examples: [],
});
