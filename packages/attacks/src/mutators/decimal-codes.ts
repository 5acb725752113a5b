/** The number of each character, as a table of character codes has it. */
import { createLead } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const lead = createLead(["Character codes:", "Decimal:", "In code points:"]);

export default defineMutator({
  id: "decimal-codes",
  group: "encoding",
  summary: "Code points as decimal numbers",
  apply: (text, rng) => lead.put(Array.from(text, (sign) => sign.codePointAt(0)).join(" "), rng),
  invert: (text) => String.fromCodePoint(...lead.take(text).split(" ").map(Number)),
  appliesTo: (text) => text.length > 0 && text.length < 20_000,
  examples: [],
});
