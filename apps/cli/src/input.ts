/** Texts to judge: arguments, a file or standard input; plain or JSONL. */
import { AppError } from "@mlsec/contracts";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { text as readAll } from "node:stream/consumers";

/** One text, or what is wrong with its row. */
export interface InputText {
  readonly text: string;
  readonly id?: string;
  readonly error?: string;
}
export interface InputOptions {
  readonly texts: readonly string[];
  readonly file?: string | undefined;
  readonly lines?: boolean | undefined;
}

/** Reads lazily, so that a file of any size streams. A `.jsonl` file, or input whose first line is a JSON object with `text`, is JSONL. */
export async function* inputTexts({ texts, file, lines }: InputOptions): AsyncIterable<InputText> {
  if (texts.length > 0) yield* texts.map((text) => ({ text }));
  if (texts.length > 0 && file === undefined) return;
  if (file === undefined && process.stdin.isTTY) {
    throw new AppError("INVALID_INPUT", "nothing to judge: give texts as arguments, --file FILE, or pipe text in");
  }
  const stream = file === undefined || file === "-" ? process.stdin : createReadStream(file);
  if (lines === true) return yield* eachLine(stream, (line) => ({ text: line }));
  if (file !== undefined && /\.(jsonl|ndjson)$/.test(file)) return yield* eachLine(stream, jsonRow);
  const whole = await readAll(stream);
  const rows = whole.split("\n").filter((line) => line.trim() !== "");
  if (rows.length > 0 && rows[0]?.startsWith("{") && jsonRow(rows[0], 1).error === undefined)
    return yield* rows.map((row, i) => jsonRow(row, i + 1));
  yield { text: whole.replace(/\r?\n$/, "") };
}

async function* eachLine(
  stream: NodeJS.ReadableStream,
  parse: (line: string, row: number) => InputText,
): AsyncIterable<InputText> {
  let row = 0;
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    row++;
    if (line.trim() !== "") yield parse(line, row);
  }
}

/** A JSONL row: `text`, optional `id`. What is wrong is named with its row. */
export function jsonRow(line: string, row: number): InputText {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null)
      return { text: "", error: `row ${row}: expected an object with text` };
    const { text, id } = value as { text?: unknown; id?: unknown };
    const named = typeof id === "string" || typeof id === "number" ? { id: String(id) } : {};
    return typeof text === "string"
      ? { text, ...named }
      : { text: "", ...named, error: `row ${row}: "text" must be a string` };
  } catch {
    return { text: "", error: `row ${row}: not JSON` };
  }
}

/** Groups of at most `size` texts and about `characters` characters. */
export async function* inChunks(
  source: AsyncIterable<InputText>,
  size: number,
  characters: number,
): AsyncIterable<InputText[]> {
  let chunk: InputText[] = [];
  let length = 0;
  for await (const item of source) {
    if (chunk.length > 0 && (chunk.length >= size || length + item.text.length > characters)) {
      yield chunk;
      chunk = [];
      length = 0;
    }
    chunk.push(item);
    length += item.text.length;
  }
  if (chunk.length > 0) yield chunk;
}
