/** Control tokens that mean something to a model and nothing to a reader. */
import { defineMutator } from "../mutator.ts";

const tokens = ["<|im_sep|>", "<pad>", "<unk>", "<|endofprompt|>", "[MASK]", "</s>", "<0x0A>"];
const strip = (text: string): string =>
  text.replaceAll(/ (?:<\|im_sep\|>|<pad>|<unk>|<\|endofprompt\|>|\[MASK\]|<\/s>|<0x0A>)/g, "");

export default defineMutator({
  id: "special-tokens",
  group: "spelling",
  summary: "Tokens of chat templates between words",
  apply: (text, rng) => text.replaceAll(/(?<=\p{L}) /gu, () => (rng.chance(0.4) ? ` ${rng.pick(tokens)} ` : " ")),
  invert: strip,
  fold: strip,
  appliesTo: (text) => (text.match(/(?<=\p{L}) /gu)?.length ?? 0) >= 6,
  examples: [],
});
