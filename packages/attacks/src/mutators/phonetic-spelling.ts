/** ph as f, c as k, qu as kw: readable aloud, strange to a tokenizer. */
import { defineMutator } from "../mutator.ts";

const rules: readonly (readonly [RegExp, string])[] = [
  [/ph/g, "f"],
  [/ck/g, "k"],
  [/c(?=[aoulrt])/g, "k"],
  [/qu/g, "kw"],
  [/x(?=\b|[a-z])/g, "ks"],
  [/tion/g, "shun"],
  [/igh/g, "y"],
  [/ou(?=[nrs])/g, "ow"],
  [/ea/g, "ee"],
  [/s(?=\b)/g, "z"],
];
const spell = (text: string): string =>
  rules.reduce((spelt, [pattern, sound]) => spelt.replaceAll(pattern, sound), text);

export default defineMutator({
  id: "phonetic-spelling",
  group: "spelling",
  summary: "Spelt as it sounds",
  maxEdits: 0.35,
  apply: spell,
  appliesTo: (text) => text.length >= 12 && spell(text) !== text,
  examples: [{ input: "phone the school", output: "fone the school" }],
});
