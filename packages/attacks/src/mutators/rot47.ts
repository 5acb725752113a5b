/** ROT47: letters, digits and signs change places. */
import { defineMutator } from "../mutator.ts";

const rotate = (text: string): string =>
  text.replaceAll(/[!-~]/g, (sign) => String.fromCharCode(((sign.charCodeAt(0) - 33 + 47) % 94) + 33));

export default defineMutator({
  id: "rot47",
  group: "encoding",
  summary: "Printable ASCII moved by 47 places",
  apply: (text) => `ROT47:\n${rotate(text)}`,
  invert: (text) => rotate(text.slice("ROT47:\n".length)),
  appliesTo: (text) => /[!-~]/.test(text),
  examples: [{ input: "Hello", output: "ROT47:\nw6==@" }],
});
