// What a data path means: an object of the store, a data set, or the newest data set. Cheap checks come before the 202.
import { AppError } from "@mlsec/contracts";
import { type ObjectStore, parseUri } from "../../platform/storage/object-store.ts";
import type { DataStore } from "./data/store.ts";
import { minGroups } from "./data/quality.ts";
import { type Format, formatOf, readAllRows } from "./data/rows.ts";

export interface Located {
  readonly uri: string;
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  readonly format: Format;
  readonly fileId: string | null;
}
interface Parts {
  readonly storage: ObjectStore;
  readonly data: DataStore;
  readonly bucket: string;
}
/** Where the first start puts the shipped rows. */
export const firstDataKey = "training_data/security_data.jsonl";
/** A file up to this size is read whole before the answer; larger ones are checked by the job. */
const checkBytes = 8 * 2 ** 20;

/** OBJECT_NOT_FOUND, CONFLICT for an archived data set, DATA_INVALID for one that failed its gates. */
export async function locateData(path: string, parts: Parts): Promise<Located> {
  if (path === "latest")
    return (await latest(parts)) ?? locateObject(`s3://${parts.bucket}/${firstDataKey}`, parts, null);
  const id = /^dataset:(.+)$/s.exec(path)?.[1];
  if (id === undefined) {
    const known = await parts.data.dataSetByUri(path);
    return locateObject(path, parts, known?.file_id ?? null);
  }
  const row = await parts.data.dataSet(id);
  if (!row)
    throw new AppError(
      "OBJECT_NOT_FOUND",
      `no data set has the id ${JSON.stringify(id.slice(0, 100))}; GET /data lists them`,
    );
  if (row.state === "archived") throw new AppError("CONFLICT", `the data set ${id} is archived`);
  if (!row.quality.passed)
    throw new AppError(
      "DATA_INVALID",
      `the data set ${id} failed its checks: ${row.quality.errors.map(said).slice(0, 3).join("; ")}`,
    );
  return locateObject(row.uri, parts, row.file_id);
}

const said = ({ row, message }: { row?: number | undefined; message: string }): string =>
  row === undefined ? message : `row ${row}: ${message}`;

async function latest(parts: Parts): Promise<Located | undefined> {
  const row = await parts.data.latest();
  return row && locateObject(row.uri, parts, row.file_id);
}

async function locateObject(uri: string, { storage }: Parts, fileId: string | null): Promise<Located> {
  const { bucket, key } = parseUri(uri);
  const info = await storage.head(bucket, key).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "NOT_FOUND") return undefined;
    throw error;
  });
  if (!info) throw new AppError("OBJECT_NOT_FOUND", `there is no object ${uri.slice(0, 300)}`);
  return { uri, bucket, key, size: info.size, format: formatOf(key), fileId };
}

/** Reads a file that is small enough for it; DATA_INVALID names the first wrong row. */
export async function checkBeforeQueueing(located: Located, storage: ObjectStore): Promise<void> {
  if (located.size > checkBytes) return;
  const { stream } = await storage.get(located.bucket, located.key);
  const rows = await readAllRows(stream, located.format);
  const benign = rows.filter((row) => row.label === "benign").length;
  for (const [what, found] of [
    ["attack", rows.length - benign],
    ["benign", benign],
  ] as const) {
    if (found < minGroups)
      throw new AppError("DATA_INVALID", `${found} ${what} rows; at least ${minGroups} different ones are needed`);
  }
}
