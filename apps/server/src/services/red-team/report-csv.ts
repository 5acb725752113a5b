// One row per attempt. What a spreadsheet could take for a formula is defused.
import type { Report, ReportAttempt } from "./report-data.ts";

const columns = [
  "status",
  "category",
  "pattern",
  "mutator",
  "benign",
  "prediction",
  "confidence",
  "detected",
  "severity",
  "error",
  "text_sha256",
] as const satisfies readonly (keyof ReportAttempt)[];

/** RFC 4180, with a column `text` where texts were asked for. */
export function csvReport({ attempts }: Pick<Report, "attempts">): string {
  const shown = attempts.some(({ text }) => text !== undefined) ? [...columns, "text" as const] : columns;
  const rows = [shown, ...attempts.map((attempt) => shown.map((column) => attempt[column]))];
  return `${rows.map((row) => row.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

/** A cell that a spreadsheet could take for a formula begins with an apostrophe. */
export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const text = value.toWellFormed().replaceAll("\0", "\ufffd");
  const safe =
    /^[\s\u200b-\u200f\u2060\ufeff]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]/.test(text) || /^[\t\r\n]/.test(text)
      ? `'${text}`
      : text;
  return /[",\r\n]/.test(safe) || safe !== text ? `"${safe.replaceAll('"', '""')}"` : safe;
}
