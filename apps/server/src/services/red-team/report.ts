// A test as a file. Attack texts are data in every format: escaped in HTML, defused in CSV.
import type { AttemptResult, TestResult } from "@mlsec/contracts";
import { htmlReport } from "./report-html.ts";

export const formats = {
  html: { type: "text/html; charset=utf-8", write: htmlReport },
  json: { type: "application/json", write: (test: TestResult) => `${JSON.stringify(test, null, 2)}\n` },
  csv: { type: "text/csv; charset=utf-8", write: csvReport },
} as const;
export type Format = keyof typeof formats;

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
  "text",
] as const satisfies readonly (keyof AttemptResult)[];

/** RFC 4180. A cell that a spreadsheet could take for a formula begins with an apostrophe. */
function csvReport(test: TestResult): string {
  const rows = [columns, ...test.results.map((result) => columns.map((column) => result[column]))];
  return `${rows.map((row) => row.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

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
