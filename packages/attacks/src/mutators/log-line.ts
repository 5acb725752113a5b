/** Between ordinary lines of a log. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "log-line",
  group: "carrier",
  summary: "As a message in a log",
  apply: createEnvelope([
    "INFO  start\nWARN  input: ¤\nINFO  done in 12 ms",
    "[req 81] 200 /menu\n[req 82] body: ¤\n[req 83] 200 /about",
    'level=debug msg="cache warm"\nlevel=debug note: ¤',
  ]),
  examples: [],
});
