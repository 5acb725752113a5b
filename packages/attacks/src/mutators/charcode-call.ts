/** `String.fromCharCode(…)`, as scripts hide strings. */
import { createEnvelope } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const call = createEnvelope([
  "String.fromCharCode(¤)",
  "text = String.fromCharCode(¤);",
  "alert(String.fromCharCode(¤))",
]);

export default defineMutator({
  id: "charcode-call",
  group: "encoding",
  summary: "A JavaScript call that builds the text",
  apply: (text, rng) =>
    call(
      text
        .split("")
        .map((unit) => unit.charCodeAt(0))
        .join(","),
      rng,
    ),
  invert: (text) => (text.match(/\d+/g) ?? []).map((code) => String.fromCharCode(Number(code))).join(""),
  appliesTo: (text) => text.length > 0,
  examples: [],
});
