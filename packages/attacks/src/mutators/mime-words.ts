/** `=?UTF-8?B?…?=` as in the subject of an e-mail. */
import { defineMutator } from "../mutator.ts";

export default defineMutator({
  id: "mime-words",
  group: "encoding",
  summary: "MIME encoded words",
  apply(text) {
    const bytes = Buffer.from(text);
    const words: string[] = [];
    for (let i = 0; i < bytes.length; i += 45)
      words.push(`=?UTF-8?B?${bytes.subarray(i, i + 45).toString("base64")}?=`);
    return words.join("\n ");
  },
  invert: (text) =>
    Buffer.concat(
      [...text.matchAll(/\?B\?([^?]*)\?=/g)].map(([, body = ""]) => Buffer.from(body, "base64")),
    ).toString(),
  appliesTo: (text) => text.isWellFormed(),
  examples: [{ input: "hi", output: "=?UTF-8?B?aGk=?=" }],
});
