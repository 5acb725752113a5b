// Brings a version's files from the object store into a local folder named after their content, once.
import fs from "node:fs";
import fsp from "node:fs/promises";
import path from "node:path";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "@mlsec/contracts";
import { type ObjectInfo, type ObjectStore, parseUri } from "../../../platform/storage/object-store.ts";

// Versions kept on disk beside the store: champions, candidates and a few to roll back to.
const keptFolders = 8;

export interface Artefacts {
  /** The folder that holds what lies under this prefix; OBJECT_NOT_FOUND when nothing does. */
  fetch(uri: string): Promise<string>;
  /** Removes interrupted downloads and all but the newest folders. */
  prune(): Promise<void>;
}

export function createArtefacts(storage: ObjectStore, dataDir: string): Artefacts {
  const root = path.join(dataDir, "model-cache");
  return {
    async fetch(uri) {
      const { bucket, key } = parseUri(uri);
      const prefix = key.endsWith("/") ? key : `${key}/`;
      const objects = await listAll(storage, bucket, prefix);
      if (objects.length === 0) throw new AppError("OBJECT_NOT_FOUND", `no files lie under s3://${bucket}/${prefix}`);
      const folder = path.join(root, contentId(objects, prefix));
      if (!fs.existsSync(folder)) await download(storage, { bucket, prefix, objects, folder });
      const now = new Date();
      await fsp.utimes(folder, now, now);
      return folder;
    },
    async prune() {
      const names = await fsp.readdir(root).catch(() => []);
      const aged = await Promise.all(
        names.map(async (name) => ({
          name,
          at: name.includes(".") ? 0 : (await fsp.stat(path.join(root, name))).mtimeMs,
        })),
      );
      const old = aged.sort((a, b) => b.at - a.at).filter(({ at }, i) => at === 0 || i >= keptFolders);
      for (const { name } of old) await fsp.rm(path.join(root, name), { recursive: true, force: true });
    },
  };
}

async function listAll(storage: ObjectStore, bucket: string, prefix: string): Promise<ObjectInfo[]> {
  const objects: ObjectInfo[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await storage.list(bucket, { prefix, ...(cursor === undefined ? {} : { cursor }) });
    objects.push(...page.objects.filter(({ key }) => !key.endsWith("/")));
    cursor = page.nextCursor;
    if (cursor === undefined) return objects;
  }
}

function contentId(objects: readonly ObjectInfo[], prefix: string): string {
  const hash = createHash("sha256");
  for (const { key, sha256, etag, size } of objects)
    hash.update(JSON.stringify([key.slice(prefix.length), sha256 || etag, size]));
  return hash.digest("hex");
}

interface Download {
  readonly bucket: string;
  readonly prefix: string;
  readonly objects: readonly ObjectInfo[];
  readonly folder: string;
}

async function download(storage: ObjectStore, { bucket, prefix, objects, folder }: Download): Promise<void> {
  const partial = `${folder}.${crypto.randomUUID()}`;
  try {
    for (const { key } of objects) {
      const file = path.join(partial, ...safeParts(key.slice(prefix.length)));
      await fsp.mkdir(path.dirname(file), { recursive: true });
      const { stream } = await storage.get(bucket, key);
      await pipeline(Readable.from(stream), fs.createWriteStream(file, { flush: true }));
    }
    // Another load may have finished first: then the folder is there and just as good.
    await fsp.rename(partial, folder).catch((error: unknown) => {
      if (!fs.existsSync(folder)) throw error;
    });
  } finally {
    await fsp.rm(partial, { recursive: true, force: true });
  }
}

function safeParts(key: string): string[] {
  const parts = key.split("/");
  if (parts.every((part) => /^[\w][\w .@+-]*$/.test(part))) return parts;
  throw new AppError("CONFLICT", "an artefact has a name that cannot be a file here", { key });
}
