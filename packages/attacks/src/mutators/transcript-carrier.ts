/** One speaker among others. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "transcript-carrier",
  group: "carrier",
  summary: "As spoken words in a transcript",
  apply: createEnvelope([
    "SPEAKER 1: Shall we begin?\nSPEAKER 2: ¤\nSPEAKER 1: Right.",
    "(10:02) Host: Welcome back. (10:03) Guest: ¤ (10:05) Host: Thank you.",
    "Chair: next item.\nMember: ¤\nChair: noted.",
  ]),
  examples: [],
});
