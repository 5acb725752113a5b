// Files between the object store and a folder of this machine.
import { createReadStream, createWriteStream } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "@mlsec/contracts";
import { type ObjectStore, parseUri } from "../../platform/storage/object-store.ts";

/** Brings an object into a file; one that is there is whole and stays. */
export async function fetchObject(storage: ObjectStore, uri: string, file: string, signal: AbortSignal): Promise<void> {
  if (await exists(file)) return;
  const { bucket, key } = parseUri(uri);
  const { stream } = await storage.get(bucket, key);
  await fs.mkdir(path.dirname(file), { recursive: true });
  await pipeline(Readable.from(stream), createWriteStream(`${file}.part`, { flush: true }), { signal });
  await fs.rename(`${file}.part`, file);
}

/** Brings what lies under a prefix into a folder. OBJECT_NOT_FOUND when nothing does. */
export async function fetchFolder(
  storage: ObjectStore,
  uri: string,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const { bucket, key } = parseUri(uri);
  const prefix = key.endsWith("/") ? key : `${key}/`;
  const { objects } = await storage.list(bucket, { prefix });
  if (objects.length === 0) throw new AppError("OBJECT_NOT_FOUND", `no files lie under ${uri}`);
  for (const object of objects) {
    const name = path.basename(object.key);
    await fetchObject(storage, `s3://${bucket}/${object.key}`, path.join(folder, name), signal);
  }
}

/** Puts every file of a folder under a prefix; the manifest last, so that a prefix with one is complete. */
export async function storeFolder(
  storage: ObjectStore,
  folder: string,
  uri: string,
  signal: AbortSignal,
): Promise<void> {
  const { bucket, key } = parseUri(uri);
  const names = (await fs.readdir(folder)).filter((name) => !name.endsWith(".tmp") && !name.endsWith(".part"));
  const isManifest = (name: string): number => (name === "detector.json" ? 1 : 0);
  for (const name of names.toSorted((a, b) => isManifest(a) - isManifest(b))) {
    const contentType = typeOf(name);
    await storage.put(bucket, `${key}/${name}`, createReadStream(path.join(folder, name)), { contentType, signal });
  }
}

const typeOf = (name: string): string =>
  name.endsWith(".json")
    ? "application/json"
    : name.endsWith(".md")
      ? "text/markdown; charset=utf-8"
      : "application/octet-stream";

export const exists = (file: string): Promise<boolean> =>
  fs.access(file).then(
    () => true,
    () => false,
  );
