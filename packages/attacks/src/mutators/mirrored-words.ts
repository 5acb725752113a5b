/** Letters reversed within each word; the words stay in order (FlipAttack, https://arxiv.org/abs/2410.02832). */
import { createLead } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const lead = createLead(["Each word is mirrored:", "Words backwards:", "Letters turned round in every word:"]);
const mirror = (text: string): string => text.replaceAll(/\S+/gu, (word) => [...word].reverse().join(""));

export default defineMutator({
  id: "mirrored-words",
  group: "order",
  summary: "Each word backwards",
  apply: (text, rng) => lead.put(mirror(text), rng),
  invert: (text) => mirror(lead.take(text)),
  appliesTo: (text) => /\S\S/.test(text),
  examples: [],
});
