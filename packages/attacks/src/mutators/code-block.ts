/** Inside a fenced Markdown block between two harmless lines. */
import { defineMutator } from "../mutator.ts";

const before = [
  "Here is the file you asked for:",
  "From the wiki:",
  "Pasted from my terminal:",
  "See the snippet below.",
];
const after = ["What do you think?", "Any typos?", "That is the whole thing.", "Source: intranet."];

export default defineMutator({
  id: "code-block",
  group: "carrier",
  summary: "Inside a fenced Markdown block",
  apply: (text, rng) => `${rng.pick(before)}\n\n\`\`\`text\n${text}\n\`\`\`\n\n${rng.pick(after)}`,
  invert: (text) => /```text\n(.*)\n```/s.exec(text)?.[1] ?? "",
  examples: [],
});
