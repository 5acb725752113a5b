/** A comment above a harmless function. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "source-comment",
  group: "carrier",
  summary: "As a comment in source code",
  apply: createEnvelope([
    "# ¤\ndef total(items):\n    return sum(items)",
    "/* ¤ */\nint width(void) { return 80; }",
    "-- ¤\nSELECT name FROM menus;",
  ]),
  examples: [],
});
