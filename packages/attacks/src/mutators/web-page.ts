/** As a paragraph of a page with a heading and a footer. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "web-page",
  group: "carrier",
  summary: "In the text of a web page",
  apply: createEnvelope([
    "<html><body><h1>Garden club</h1><p>¤</p><footer>Imprint</footer></body></html>",
    "<article><h2>News</h2><p>It rained.</p><p>¤</p></article>",
    "<main><section>Welcome.</section><section>¤</section></main>",
  ]),
  examples: [],
});
