/** Dots and dashes, a slash between words. */
import { defineMutator } from "../mutator.ts";

const code: Readonly<Record<string, string>> = JSON.parse(
  '{"A":".-","B":"-...","C":"-.-.","D":"-..","E":".","F":"..-.","G":"--.","H":"....","I":"..","J":".---","K":"-.-","L":".-..","M":"--","N":"-.","O":"---","P":".--.","Q":"--.-","R":".-.","S":"...","T":"-","U":"..-","V":"...-","W":".--","X":"-..-","Y":"-.--","Z":"--..","0":"-----","1":".----","2":"..---","3":"...--","4":"....-","5":".....","6":"-....","7":"--...","8":"---..","9":"----.",".":".-.-.-",",":"--..--","?":"..--..","!":"-.-.--","/":"-..-.","(":"-.--.",")":"-.--.-",":":"---...",";":"-.-.-.","=":"-...-","+":".-.-.","-":"-....-","@":".--.-.","\'":".----.","&":".-...","_":"..--.-","$":"...-..-"," ":"/"}',
);
const signs = new Map(Object.entries(code).map(([sign, dots]) => [dots, sign]));
const fold = (text: string): string => text.toUpperCase().replaceAll(/\s+/g, " ").trim();

export default defineMutator({
  id: "morse",
  group: "encoding",
  summary: "Morse code",
  apply: (text) => Array.from(fold(text), (sign) => code[sign] ?? "").join(" "),
  invert: (text) =>
    text
      .split(" ")
      .map((dots) => signs.get(dots) ?? "")
      .join(""),
  fold,
  appliesTo: (text) => /^[a-z0-9.,?!/():;=+@'&_$\s-]*[a-z0-9][a-z0-9.,?!/():;=+@'&_$\s-]*$/i.test(text),
  examples: [{ input: "so on", output: "... --- / --- -." }],
});
