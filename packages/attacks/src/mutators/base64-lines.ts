/** Base64 cut into an array of strings, as source code holds long constants. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "base64-lines",
  group: "encoding",
  summary: "Base64 in short quoted pieces",
  apply: (text) =>
    `[${(
      Buffer.from(text)
        .toString("base64")
        .match(/.{1,16}/g) ?? []
    )
      .map((piece) => `"${piece}"`)
      .join(",\n ")}].join("")`,
  invert: (text) =>
    Buffer.from([...text.matchAll(/"([^"]+)"[,\]]/g)].map(([, piece]) => piece).join(""), "base64").toString(),
  appliesTo: (text) => text.length > 0 && text.isWellFormed(),
  examples: [{ input: "hi", output: '["aGk="].join("")' }],
});
