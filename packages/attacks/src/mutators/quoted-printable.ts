/** Bytes as `=XX`, as mail programs write what is not plain ASCII; here half of the letters too. */
import { defineMutator } from "../mutator.ts";

const hex = Array.from({ length: 256 }, (_, byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`);
const decodeRun = (run: string): string => Buffer.from(run.replaceAll("=", ""), "hex").toString();

export default defineMutator({
  id: "quoted-printable",
  group: "encoding",
  summary: "Quoted-printable as in e-mail",
  apply: (text, rng) =>
    text.replaceAll(/[^\n]/gu, (sign) => {
      if (/[ -<>-~]/.test(sign) && !(/[a-z]/i.test(sign) && rng.chance(0.5))) return sign;
      return Array.from(Buffer.from(sign), (byte) => hex[byte]).join("");
    }),
  invert: (text) => text.replaceAll(/(?:=[0-9A-F]{2})+/g, decodeRun),
  appliesTo: (text) => text.isWellFormed() && /[a-z=]|[^\0-~]/i.test(text),
  examples: [{ input: "é = 5", output: "=C3=A9 =3D 5" }],
});
