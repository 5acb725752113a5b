/** Escape sequences for colours between letters; a terminal shows only the text. */
import { defineMutator } from "../mutator.ts";

const strip = (text: string): string =>
  text
    .split("\u001b")
    .map((part, i) => (i === 0 ? part : part.replace(/^\[[0-9;]*m/, "")))
    .join("");

export default defineMutator({
  id: "ansi-escapes",
  group: "spelling",
  summary: "Terminal colours inside words",
  apply: (text, rng) =>
    text.replaceAll(/(?<=\p{L}{2})(?=\p{L})/gu, () => (rng.chance(0.3) ? `\u001b[${30 + rng.int(8)}m` : "")),
  invert: strip,
  fold: strip,
  appliesTo: (text) => (text.match(/\p{L}{3,}/gu)?.length ?? 0) >= 5,
  examples: [],
});
