/** The text as a value, serialised twice, so that quotes and letters stand behind escapes. */
import { defineMutator } from "../mutator.ts";

const outer = (text: string): string => JSON.stringify({ payload: JSON.stringify({ message: text }) });

export default defineMutator({
  id: "json-nesting",
  group: "encoding",
  summary: "A JSON string in a JSON string",
  apply: (text) =>
    outer(text).replaceAll(/[^\0-~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  invert: (text) => (JSON.parse((JSON.parse(text) as { payload: string }).payload) as { message: string }).message,
  appliesTo: (text) => text.isWellFormed(),
  examples: [{ input: "hi", output: '{"payload":"{\\"message\\":\\"hi\\"}"}' }],
});
