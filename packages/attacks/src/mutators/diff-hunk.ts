/** A line with a plus in a patch. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "diff-hunk",
  group: "carrier",
  summary: "As an added line of a patch",
  apply: createEnvelope([
    "--- a/notes.txt\n+++ b/notes.txt\n@@ -1 +1,2 @@\n water the ferns\n+¤",
    "diff --git a/faq.md b/faq.md\n@@ -8,0 +9 @@\n+¤",
    "@@ -3,2 +3,2 @@\n-old line\n+¤",
  ]),
  examples: [],
});
