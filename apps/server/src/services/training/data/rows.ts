// Rows of a data set, read as a stream: JSONL, or CSV with a header line. Row numbers count from 1, as an editor's lines do.
import { AppError, labels } from "@mlsec/contracts";
import { parse } from "csv-parse";
import { Readable } from "node:stream";

export type Format = "jsonl" | "csv";
export interface DataRow {
  readonly text: string;
  readonly label: string;
  readonly lang?: string;
  readonly source?: string;
  /** Rows that say the same group stay on one side of every split. */
  readonly group?: string;
}
/** One row, or what is wrong with it. */
export type ReadRow =
  | { readonly number: number; readonly row: DataRow }
  | { readonly number: number; readonly problem: string };

const maxChars = 200_000;
/** A line longer than this is no row; it must not fill the memory. */
const maxLineBytes = 4 * 2 ** 20;

export const formatOf = (name: string): Format => (/\.(csv|tsv)$/i.test(name) ? "csv" : "jsonl");

/** Every row of a stream; blank lines are left out but counted. DATA_INVALID for bytes that are no text at all. */
export async function* readRows(stream: AsyncIterable<Uint8Array>, format: Format): AsyncGenerator<ReadRow> {
  if (format === "csv") yield* csvRows(stream);
  else yield* jsonRows(stream);
}

/** Every row, or DATA_INVALID for the first bad one. */
export async function readAllRows(stream: AsyncIterable<Uint8Array>, format: Format): Promise<DataRow[]> {
  const rows: DataRow[] = [];
  for await (const read of readRows(stream, format)) {
    if ("problem" in read)
      throw new AppError("DATA_INVALID", `row ${read.number}: ${read.problem}`, { row: read.number });
    rows.push(read.row);
  }
  return rows;
}

async function* jsonRows(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ReadRow> {
  let number = 0;
  for await (const line of lines(stream)) {
    number++;
    const text = number === 1 ? line.replace(/^\uFEFF/, "") : line;
    if (text.trim() === "") continue;
    yield { number, ...checkLine(text) };
  }
}

function checkLine(line: string): { row: DataRow } | { problem: string } {
  try {
    return checkRow(JSON.parse(line));
  } catch {
    // The parser's message quotes the line, which may be an attack text.
    return { problem: 'is not JSON; each line holds one object such as {"text": …, "label": …}' };
  }
}

/** Checks one parsed row. */
export function checkRow(value: unknown): { row: DataRow } | { problem: string } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { problem: "is not an object" };
  const { text, label, lang, language, source, group } = value as Record<string, unknown>;
  if (typeof text !== "string" || text.trim() === "") return { problem: "text: expected a text that is not empty" };
  if (text.length > maxChars) return { problem: `text: longer than ${maxChars} characters` };
  if (typeof label !== "string" || !(labels as readonly string[]).includes(label))
    return { problem: `label: ${describe(label)} is none of ${labels.join(", ")}` };
  const spoken = lang ?? language;
  return {
    row: {
      text,
      label,
      ...(typeof spoken === "string" && spoken !== "" ? { lang: spoken } : {}),
      ...(typeof source === "string" && source !== "" ? { source } : {}),
      ...(typeof group === "number" || (typeof group === "string" && group !== "") ? { group: String(group) } : {}),
    },
  };
}

const describe = (label: unknown): string =>
  label === undefined
    ? "nothing"
    : typeof label === "string"
      ? JSON.stringify(label.slice(0, 60))
      : `a ${typeof label}`;

async function* lines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of decoded(stream, decoder)) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > maxLineBytes)
      throw new AppError("DATA_INVALID", `a line is longer than ${maxLineBytes} characters`);
    yield* parts;
  }
  if (rest !== "") yield rest;
}

async function* decoded(stream: AsyncIterable<Uint8Array>, decoder: TextDecoder): AsyncGenerator<string> {
  const decode = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch (cause) {
      throw new AppError("DATA_INVALID", "the data is not UTF-8", {}, { cause });
    }
  };
  for await (const chunk of stream) yield decode(chunk);
  yield decode();
}

async function* csvRows(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ReadRow> {
  const parser = Readable.from(stream).pipe(
    parse({
      columns: (header: string[]) => header.map((name) => name.trim().toLowerCase()),
      bom: true,
      skip_empty_lines: true,
      relax_column_count: true,
      info: true,
      max_record_size: maxLineBytes,
    }),
  );
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: unknown; info: { lines: number } }>)
      yield { number: info.lines, ...checkRow(record) };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("DATA_INVALID", "the data is not CSV with a header line", {}, { cause });
  }
}
