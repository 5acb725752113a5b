/** As the content of a user's turn, in one of the usual notations. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "role-tags",
  group: "carrier",
  summary: "In the tags of a chat message",
  apply: createEnvelope(["<user>¤</user>", "### User:\n¤\n### Assistant:", "[INST] ¤ [/INST]"]),
  examples: [],
});
