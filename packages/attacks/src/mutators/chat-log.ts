/** Between two ordinary lines of a chat. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "chat-log",
  group: "carrier",
  summary: "As a line of a chat",
  apply: createEnvelope([
    "[09:12] mia: morning\n[09:13] bo: ¤\n[09:15] mia: ok",
    "<tom> back\n<ann> ¤\n<tom> see you at lunch",
    "Bo: is the lift fixed?\nCy: ¤\nBo: thanks",
  ]),
  examples: [],
});
