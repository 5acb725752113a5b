// The frozen suite: every .jsonl file of its folder, in the order of their names.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import { type DataRow, readAllRows } from "../data/rows.ts";

export interface Suite {
  readonly name: string;
  readonly sha256: string;
  readonly rows: readonly DataRow[];
}

/** UNAVAILABLE when the folder holds no rows: without a suite no version can be compared. */
export async function readSuite(folder: string): Promise<Suite> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".jsonl")).toSorted();
  const hash = createHash("sha256");
  const rows: DataRow[] = [];
  for (const name of names) {
    const bytes = await readFile(path.join(folder, name));
    hash.update(bytes);
    rows.push(...(await readAllRows(once(bytes), "jsonl")));
  }
  if (rows.length === 0)
    throw new AppError("CONFLICT", "MLSEC_SUITE_DIR: the folder of the frozen suite holds no rows");
  return { name: path.basename(folder), sha256: hash.digest("hex"), rows };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
