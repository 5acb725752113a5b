// Rows to train on and rows held out: checked, without repeats, without what resembles the suite, split by group.
import { createReadStream } from "node:fs";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import { seededRandom } from "@mlsec/engine";
import { createInspector, maxGrouped } from "../data/quality.ts";
import { type DataRow, readRows } from "../data/rows.ts";
import { cleanRows, type GroupedRow, splitByGroup } from "../data/split.ts";
import type { ChildSpec, Tell } from "./messages.ts";
import { readSuite, type Suite } from "./suite.ts";

/** Share of the rows that calibrate and measure, and that training never sees. */
const heldShare = 0.15;

export interface PreparedRows {
  readonly train: readonly GroupedRow[];
  readonly held: readonly GroupedRow[];
  readonly repeated: number;
  readonly contaminated: number;
  readonly suite: Suite;
}

export async function prepareRows(folder: string, spec: ChildSpec, tell: Tell): Promise<PreparedRows> {
  const log = (message: string): void => tell({ type: "log", level: "info", message });
  const suite = await readSuite(spec.suiteDir);
  const rows = await readChecked(path.join(folder, spec.data.file), spec.data.format, tell);
  log(`${rows.length} rows read from ${spec.data.uri}`);
  tell({ type: "progress", phase: "preparing", share: 0.3 });
  const given = spec.evalData
    ? await readChecked(path.join(folder, spec.evalData.file), spec.evalData.format, tell)
    : [];
  const suiteTexts = suite.rows.map((row) => row.text);
  const held = cleanRows(given, suiteTexts);
  // Rows that resemble given evaluation rows would be known before they are asked.
  const cleaned = cleanRows(rows, [...suiteTexts, ...held.rows.map((row) => row.text)]);
  const contaminated = cleaned.contaminated + held.contaminated;
  if (cleaned.repeated > 0) log(`${cleaned.repeated} exact repeats left out`);
  log(
    `${contaminated} rows left out: near-duplicates of the suite ${suite.name} (${suite.rows.length} rows)${spec.evalData ? " or of the evaluation rows" : ""}`,
  );
  const split = spec.evalData
    ? { train: cleaned.rows, held: held.rows }
    : splitByGroup(cleaned.rows, heldShare, seededRandom(spec.settings.seed));
  requireBoth(split.train, "to train on");
  requireBoth(split.held, "to calibrate on");
  const groups = new Set(cleaned.rows.map((row) => row.groupNumber)).size;
  log(`${groups} near-duplicate groups: ${split.train.length} rows to train on, ${split.held.length} held out`);
  tell({ type: "progress", phase: "preparing", share: 1 });
  return { ...split, repeated: cleaned.repeated, contaminated, suite };
}

/** All rows of a file that passes the quality gates; DATA_INVALID names the first row that does not. */
async function readChecked(file: string, format: ChildSpec["data"]["format"], tell: Tell): Promise<DataRow[]> {
  const inspector = createInspector();
  const rows: DataRow[] = [];
  for await (const read of readRows(createReadStream(file), format)) {
    inspector.add(read);
    if ("row" in read) rows.push(read.row);
    else throw new AppError("DATA_INVALID", `row ${read.number}: ${read.problem}`);
  }
  if (rows.length > maxGrouped)
    throw new AppError("DATA_INVALID", `${rows.length} rows; one job takes ${maxGrouped} at most`);
  const report = inspector.report(Int32Array.from(inspector.texts, (_, i) => i));
  const [error] = report.errors;
  if (error) throw new AppError("DATA_INVALID", error.message);
  for (const { row, message } of report.warnings)
    tell({ type: "log", level: "warn", message: `${row === undefined ? "" : `row ${row}: `}${message}` });
  return rows;
}

function requireBoth(rows: readonly GroupedRow[], purpose: string): void {
  const benign = rows.filter((row) => row.label === "benign").length;
  if (benign > 0 && benign < rows.length) return;
  throw new AppError(
    "DATA_INVALID",
    `${rows.length - benign} attacks and ${benign} benign rows are left ${purpose}; both are needed, in more near-duplicate groups`,
  );
}
