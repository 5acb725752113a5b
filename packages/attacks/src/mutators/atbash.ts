/** A for Z, B for Y: the oldest cipher there is. */
import { createAlphabet, createLead, latinLetters } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const reversed = [...latinLetters.slice(0, 26)].reverse().join("");
const alphabet = createAlphabet(latinLetters, reversed + reversed.toLowerCase());
const lead = createLead(["Atbash:", "Read A for Z:", "The alphabet runs backwards here:"]);

export default defineMutator({
  id: "atbash",
  group: "encoding",
  summary: "The alphabet from behind",
  apply: (text, rng) => lead.put(alphabet.encode(text), rng),
  invert: (text) => alphabet.decode(lead.take(text)),
  appliesTo: (text) => /[a-z]/i.test(text),
  examples: [],
});
