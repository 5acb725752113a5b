/** In a comment of a page, between two paragraphs. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "html-comment",
  group: "carrier",
  summary: "Inside an HTML comment",
  apply: createEnvelope([
    "<p>Opening hours: 9 to 5.</p>\n<!-- ¤ -->\n<p>See you!</p>",
    "<h2>Menu</h2><!-- ¤ --><ul><li>Soup</li></ul>",
    '<div class="note"><!--\n¤\n--></div>',
  ]),
  examples: [],
});
