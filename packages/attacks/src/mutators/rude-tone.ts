/** Impatient words before and after, the contrary of courtesy. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "rude-tone",
  group: "sentence",
  summary: "Wrapped in impatience",
  apply: createEnvelope([
    "Come on, how long does this take? ¤ Hurry up.",
    "I have had enough of waiting! ¤ Well?",
    "Seriously? Again, slowly, for you: ¤ Today, if possible.",
    "Oh great, another form. ¤ Happy now?",
  ]),
  examples: [],
});
