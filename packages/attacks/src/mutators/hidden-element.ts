/** In an element with zero size or no display. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "hidden-element",
  group: "carrier",
  summary: "In an element that browsers do not show",
  apply: createEnvelope([
    '<span style="display:none">¤</span><p>Our shop is open.</p>',
    '<p>Bread of the day</p><div style="font-size:0">¤</div>',
    "<p hidden>¤</p><p>Tickets at the door.</p>",
  ]),
  examples: [],
});
