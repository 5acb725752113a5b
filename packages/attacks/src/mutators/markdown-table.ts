/** One cell among ordinary ones. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "markdown-table",
  group: "carrier",
  summary: "In a cell of a Markdown table",
  apply: createEnvelope([
    "| day | note |\n|---|---|\n| Mon | closed |\n| Tue | ¤ |",
    "| item | remark |\n|---|---|\n| lamp | ¤ |\n| chair | blue |",
    "| name | answer |\n|---|---|\n| Bo | yes |\n| Cy | ¤ |",
  ]),
  examples: [],
});
