/** Between two ordinary points. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "bullet-list",
  group: "carrier",
  summary: "As a point of a list",
  apply: createEnvelope([
    "- water the ferns\n- ¤\n- call the plumber",
    "1. flour\n2. ¤\n3. salt",
    "* Monday: swim\n* Tuesday: ¤\n* Friday: rest",
  ]),
  examples: [],
});
