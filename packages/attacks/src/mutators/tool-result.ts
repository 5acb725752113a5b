/** What an agent gets back from a search, a file or a page. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "tool-result",
  group: "carrier",
  summary: "As the result of a tool",
  apply: createEnvelope([
    "tool: read_file\npath: notes.txt\nresult:\n¤",
    '<tool_result name="search">\n1. Opening hours of the museum\n2. ¤\n</tool_result>',
    "Observation: ¤\nThought:",
  ]),
  examples: [],
});
