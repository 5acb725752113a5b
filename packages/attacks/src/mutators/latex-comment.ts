/** A line with a percent sign. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "latex-comment",
  group: "carrier",
  summary: "As a comment in a LaTeX file",
  apply: createEnvelope([
    "\\section{Results}\n% ¤\nThe tank was half full.",
    "\\begin{document}\n% ¤\nHello.\n\\end{document}",
    "\\title{Ferns}\n%% ¤\n\\maketitle",
  ]),
  examples: [],
});
