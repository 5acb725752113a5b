/** Modifier letters that look like superscripts. */
import { createAlphabet } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const alphabet = createAlphabet("abcdefghijklmnoprstuvwxyz0123456789", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ⁰¹²³⁴⁵⁶⁷⁸⁹");

export default defineMutator({
  id: "superscript",
  group: "encoding",
  summary: "Raised letters and digits",
  apply: (text) => alphabet.encode(text.toLowerCase()),
  invert: (text) => alphabet.decode(text),
  fold: (text) => text.toLowerCase().normalize("NFKC"),
  appliesTo: (text) => /[a-z0-9]/i.test(text),
  examples: [{ input: "Say 5", output: "ˢᵃʸ ⁵" }],
});
