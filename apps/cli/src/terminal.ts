/** Printing for people: tables, colours, and texts that must not reach the terminal as they are. */
import { stripVTControlCharacters, styleText } from "node:util";
import { colours } from "./settings.ts";

type Style = Parameters<typeof styleText>[0];
export const paint = (style: Style, text: string): string =>
  colours ? styleText(style, text, { validateStream: false }) : text;

/** One line of at most `width` columns. Control characters are dropped: a judged text may hold terminal commands. */
export function oneLine(text: string, width: number): string {
  const flat = stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ")
    .trim();
  const points = Array.from(flat);
  let columns = 0;
  for (const [i, point] of points.entries()) {
    columns += columnsOf(point);
    if (columns > width) return `${points.slice(0, Math.max(0, i - 1)).join("")}…`;
  }
  return flat;
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const columnsOf = (point: string): number => (wide.test(point) ? 2 : /\p{M}/u.test(point) ? 0 : 1);
const widthOf = (text: string): number =>
  Array.from(stripVTControlCharacters(text)).reduce((sum, p) => sum + columnsOf(p), 0);

/** Columns aligned by their widest cell; the header is underlined by style only. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => widthOf(row[i] ?? ""))));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => cell + " ".repeat((widths[i] ?? 0) - widthOf(cell))).join("  ");
  return [paint("dim", line(header).trimEnd()), ...rows.map((row) => line(row).trimEnd())].join("\n");
}

export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? "–" : `${(share * 100).toFixed(1)} %`;
export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const note = (text: string): void => void process.stderr.write(`${text}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));
