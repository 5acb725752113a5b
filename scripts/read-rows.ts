/** Reads a folder of labelled rows (*.jsonl, *.jsonl.gz) for the training scripts. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { createGunzip } from "node:zlib";
import { createRandom } from "../packages/engine/src/tensor/random.ts";

/** One labelled text. `group` is unique over all folders read in one call; rows that share it stay on one side of a split. */
export interface LabelledRow {
  readonly text: string;
  readonly label: string;
  readonly group: number;
  readonly source: string;
  readonly lang: string;
}

/** Sets that blur the line to ordinary requests; see the data's own README. */
const OPTIONAL = new Set(["bipia_standalone", "garak_tense"]);
const LABELS = new Set(["prompt_injection", "jailbreak", "system_extraction", "code_injection", "benign"]);

/**
 * Rows of every file of the folders (a single file is fine too), in file-name order.
 * Groups of different folders never mix; a row without a group gets one of its own.
 * @example
 * const rows = await readRows(["data/training"]);
 */
export async function readRows(paths: readonly string[]): Promise<LabelledRow[]> {
  const rows: LabelledRow[] = [];
  const groups = new Map<string, number>();
  for (const [folderIndex, path] of paths.entries()) {
    for (const file of await filesOf(path)) {
      const source = basename(file).replace(/\.jsonl(\.gz)?$/, "");
      if (OPTIONAL.has(source)) continue;
      let lineNumber = 0;
      for await (const line of linesOf(file)) {
        lineNumber += 1;
        if (line.trim() === "") continue;
        const { text, label, group, ...rest } = parse(line, `${source}:${lineNumber}`);
        const key = group === undefined ? `${folderIndex}:${source}:${lineNumber}` : `${folderIndex}:${group}`;
        const id = groups.get(key) ?? groups.size;
        groups.set(key, id);
        rows.push({ text, label, group: id, source: rest.source ?? source, lang: rest.lang ?? "unknown" });
      }
    }
  }
  return rows;
}

/** Rows to train on, and rows that training never sees. */
export interface Split {
  readonly training: LabelledRow[];
  readonly heldOut: LabelledRow[];
}

/**
 * Whole groups go to one side; the share held out is about the same in every source. One split for all shipped
 * models: with the same rows and seed they are held out alike.
 * @example
 * const { training, heldOut } = splitByGroup(rows, 1);
 */
export function splitByGroup(rows: readonly LabelledRow[], seed: number, share = 0.2): Split {
  const groups = new Map<number, LabelledRow[]>();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  const quotas = new Map<string, { total: number; held: number }>();
  for (const { source } of rows) {
    const quota = quotas.get(source) ?? { total: 0, held: 0 };
    quota.total += 1;
    quotas.set(source, quota);
  }
  const training: LabelledRow[] = [];
  const heldOut: LabelledRow[] = [];
  for (const group of createRandom(seed).shuffle([...groups.values()])) {
    const quota = quotas.get(group[0]?.source ?? "") ?? { total: 0, held: 0 };
    const fits = quota.held + group.length <= share * quota.total;
    if (fits) quota.held += group.length;
    (fits ? heldOut : training).push(...group);
  }
  return { training, heldOut };
}

async function filesOf(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const names = await readdir(path);
  return names
    .filter((name) => /\.jsonl(\.gz)?$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

/** Splits at line feeds only: rows may hold U+2028, at which readline would split too. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const raw = createReadStream(file);
  const stream = file.endsWith(".gz") ? raw.pipe(createGunzip()) : raw;
  let rest = "";
  for await (const chunk of stream.setEncoding("utf8") as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

interface ParsedRow {
  readonly text: string;
  readonly label: string;
  readonly group: string | undefined;
  readonly source: string | undefined;
  readonly lang: string | undefined;
}

function parse(line: string, where: string): ParsedRow {
  const row = JSON.parse(line) as Record<string, unknown>;
  const { text, label, group, source, lang } = row;
  if (typeof text !== "string" || text === "") throw new Error(`${where}: text is missing`);
  if (typeof label !== "string" || !LABELS.has(label)) throw new Error(`${where}: unknown label ${String(label)}`);
  return {
    text,
    label,
    group: typeof group === "number" || typeof group === "string" ? String(group) : undefined,
    source: typeof source === "string" ? source : undefined,
    lang: typeof lang === "string" ? lang : undefined,
  };
}
