/** Small capitals of the phonetic alphabets for small letters. */
import { createAlphabet } from "../alphabet.ts";
import { defineMutator } from "../mutator.ts";

const alphabet = createAlphabet("abcdefghijklmnopqrstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ");

export default defineMutator({
  id: "small-capitals",
  group: "unicode",
  summary: "Phonetic small capitals",
  apply: (text) => alphabet.encode(text),
  invert: (text) => alphabet.decode(text),
  appliesTo: (text) => /[a-wyz]/.test(text),
  examples: [{ input: "Go on", output: "Gᴏ ᴏɴ" }],
});
