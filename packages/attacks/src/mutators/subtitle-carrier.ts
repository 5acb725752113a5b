/** One cue among ordinary ones. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "subtitle-carrier",
  group: "carrier",
  summary: "As a subtitle",
  apply: createEnvelope([
    "12\n00:01:02,000 --> 00:01:05,000\nGood evening.\n\n13\n00:01:06,000 --> 00:01:09,000\n¤",
    "WEBVTT\n\n00:03.000 --> 00:07.000\n¤",
    "[door opens]\n¤\n[music]",
  ]),
  examples: [],
});
