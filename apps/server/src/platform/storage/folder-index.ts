// What a bucket's folder holds, by key. Read once from the JSON files, then kept in step with them.
import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import { byteOrder } from "./listing.ts";
import { type Sidecar, storageError } from "./sidecar.ts";

export interface Index {
  readonly folder: string;
  get(key: string): Sidecar | undefined;
  /** All keys in byte order. */
  keys(): readonly string[];
  /** Makes it the key's object, for good once this resolves. */
  set(sidecar: Sidecar): Promise<void>;
  delete(key: string): Promise<boolean>;
}

/** NOT_FOUND when there is no such bucket. Bytes that no JSON names, left by a kill, are removed. */
export async function openIndex(folder: string, bucket: string): Promise<Index> {
  const opened = Date.now();
  const sidecars = new Map((await readSidecars(folder, bucket, opened)).map((sidecar) => [sidecar.key, sidecar]));
  let sorted: string[] | undefined;
  const drop = (file: string): Promise<void> => fs.rm(path.join(folder, file), { force: true });
  return {
    folder,
    get: (key) => sidecars.get(key),
    keys: () => (sorted ??= [...sidecars.keys()].sort(byteOrder)),
    async set(sidecar) {
      await writeSidecar(folder, sidecar);
      const before = sidecars.get(sidecar.key);
      if (!before) sorted = undefined;
      sidecars.set(sidecar.key, sidecar);
      if (before) await drop(before.file);
    },
    async delete(key) {
      const sidecar = sidecars.get(key);
      if (!sidecar) return false;
      await drop(sidecarPath(key));
      sidecars.delete(key);
      sorted = undefined;
      await drop(sidecar.file);
      return true;
    },
  };
}

function sidecarPath(key: string): string {
  const name = createHash("sha256").update(key).digest("hex");
  return path.join(name.slice(0, 2), `${name}.json`);
}

async function writeSidecar(folder: string, sidecar: Sidecar): Promise<void> {
  const target = path.join(folder, sidecarPath(sidecar.key));
  const draft = path.join(folder, `${sidecar.file}.draft`);
  try {
    const handle = await fs.open(draft, "w", 0o600);
    try {
      await handle.writeFile(JSON.stringify(sidecar));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(draft, target);
    await syncFolder(path.dirname(target));
  } catch (error) {
    await fs.rm(draft, { force: true }).catch(() => undefined);
    await fs.rm(path.join(folder, sidecar.file), { force: true }).catch(() => undefined);
    throw storageError(error);
  }
}

/** The rename itself survives a power cut only once the folder is written; Windows has no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await fs.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readSidecars(folder: string, bucket: string, opened: number): Promise<Sidecar[]> {
  const names = await fs.readdir(folder, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") throw new AppError("NOT_FOUND", `there is no bucket ${bucket}`, {}, { cause });
    throw cause;
  });
  const sidecars: Sidecar[] = [];
  for (const name of names.filter((n) => n.endsWith(".json"))) {
    sidecars.push(JSON.parse(await fs.readFile(path.join(folder, name), "utf8")) as Sidecar);
  }
  const named = new Set(sidecars.map((sidecar) => sidecar.file));
  for (const name of names.filter((n) => /\.(?:bin|draft)$/.test(n) && !named.has(n))) {
    const stat = await fs.stat(path.join(folder, name)).catch(() => undefined);
    // Younger ones are being written now.
    if (stat && stat.mtimeMs < opened - 60_000) await fs.rm(path.join(folder, name), { force: true });
  }
  return sidecars;
}
