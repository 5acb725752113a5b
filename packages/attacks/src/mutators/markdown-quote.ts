/** A quotation with a line of its own before and after. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "markdown-quote",
  group: "carrier",
  summary: "As a Markdown quotation",
  apply: createEnvelope([
    "She wrote:\n\n> ¤\n\nMore tomorrow.",
    "From the letter:\n\n> ¤\n\n(page 2)",
    "## Voices\n\n> ¤\n\n— a visitor",
  ]),
  examples: [],
});
