/** One setting among ordinary ones. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "ini-value",
  group: "carrier",
  summary: "As a value in a configuration file",
  apply: createEnvelope([
    "[display]\nwidth = 80\nbanner = ¤\ncolour = blue",
    "title=Garden\nnote=¤\nlang=en",
    "# settings\nport: 8080\nmotd: ¤",
  ]),
  examples: [],
});
