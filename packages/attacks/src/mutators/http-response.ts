/** With a status line and headers. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "http-response",
  group: "carrier",
  summary: "As the body of an HTTP response",
  apply: createEnvelope([
    "HTTP/1.1 200 OK\nContent-Type: text/plain\n\n¤",
    "HTTP/2 404\nserver: demo\n\nNot found. ¤",
    "200 text/html\nx-cache: hit\n\n<p>¤</p>",
  ]),
  examples: [],
});
