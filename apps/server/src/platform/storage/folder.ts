// The embedded object store: a folder. An object is a file of bytes with a name of its own and a small JSON beside it that
// names the file; renaming the JSON is the moment the object changes. A kill at any time leaves the old object or the new
// one, and names are hashes, so no key, however odd, leads out of the folder.
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { AppError } from "@mlsec/contracts";
import { type Index, openIndex } from "./folder-index.ts";
import { listKeys } from "./listing.ts";
import type { Content, ObjectInfo, ObjectStore, PutOptions, StoredObject } from "./object-store.ts";
import { infoOf, type Sidecar, storageError } from "./sidecar.ts";

// S3's rule for names; a leading dot marks a bucket of our own that `buckets()` does not show.
const bucketRule = /^\.?[a-z\d][a-z\d.-]{1,61}[a-z\d]$/;

export function createFolderStore(root: string, clock: () => Date): ObjectStore {
  const indexes = new Map<string, Promise<Index>>();
  const turns = new Map<string, Promise<unknown>>();
  const folderOf = (bucket: string): string => {
    if (!bucketRule.test(bucket) || bucket.includes("..")) {
      throw new AppError("INVALID_INPUT", `${JSON.stringify(bucket.slice(0, 80))} is not a bucket name`);
    }
    return path.join(root, bucket);
  };
  const indexOf = async (bucket: string): Promise<Index> => {
    const folder = folderOf(bucket);
    const open = indexes.get(bucket) ?? openIndex(folder, bucket);
    indexes.set(bucket, open);
    try {
      return await open;
    } catch (error) {
      indexes.delete(bucket);
      throw error;
    }
  };
  /** Changes of one key happen one after the other. */
  const inTurn = async <T>(bucket: string, key: string, change: () => Promise<T>): Promise<T> => {
    const name = `${bucket}/${key}`;
    const before = turns.get(name) ?? Promise.resolve();
    const mine = before.then(change, change);
    turns.set(name, mine);
    try {
      return await mine;
    } finally {
      if (turns.get(name) === mine) turns.delete(name);
    }
  };
  const found = async (bucket: string, key: string): Promise<Sidecar> => {
    const sidecar = (await indexOf(bucket)).get(key);
    if (!sidecar) throw new AppError("OBJECT_NOT_FOUND", `there is no s3://${bucket}/${key.slice(0, 200)}`);
    return sidecar;
  };
  const put = async (bucket: string, key: string, content: Content, options: PutOptions = {}): Promise<ObjectInfo> => {
    requireKey(key);
    const index = await indexOf(bucket);
    const written = await writeContent(index.folder, key, content, options);
    return inTurn(bucket, key, async () => {
      const sidecar: Sidecar = {
        key,
        file: written.file,
        size: written.size,
        sha256: written.sha256,
        etag: options.etag ?? written.md5,
        contentType: options.contentType ?? "application/octet-stream",
        modified: clock().toISOString(),
        metadata: { ...options.metadata },
      };
      await index.set(sidecar);
      return infoOf(sidecar);
    });
  };
  const get = async (bucket: string, key: string, options: { range?: { start: number; end?: number } } = {}) => {
    for (let attempt = 0; ; attempt++) {
      const sidecar = await found(bucket, key);
      try {
        return await openObject(path.join(folderOf(bucket), sidecar.file), sidecar, options.range);
      } catch (error) {
        // Replaced between looking and opening: look again.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT" || attempt >= 5) throw error;
      }
    }
  };
  return {
    put,
    get,
    async head(bucket, key) {
      const sidecar = (await indexOf(bucket)).get(key);
      return sidecar && infoOf(sidecar);
    },
    list: async (bucket, options = {}) => {
      const index = await indexOf(bucket);
      return listKeys(index.keys(), (key) => index.get(key), options);
    },
    delete: async (bucket, key) => {
      const index = await indexOf(bucket);
      return inTurn(bucket, key, () => index.delete(key));
    },
    async copy(from, to, options = {}) {
      const source = await get(from.bucket, from.key);
      const { contentType, metadata, etag } = source;
      return put(to.bucket, to.key, source.stream, { contentType, metadata, etag, ...options });
    },
    async createBucket(bucket) {
      await fs.mkdir(folderOf(bucket), { recursive: true });
    },
    async deleteBucket(bucket) {
      const index = await indexOf(bucket);
      if (index.keys().length > 0) throw new AppError("CONFLICT", `the bucket ${bucket} is not empty`);
      indexes.delete(bucket);
      await fs.rm(index.folder, { recursive: true, force: true });
    },
    async buckets() {
      const entries = await fs.readdir(root, { withFileTypes: true }).catch(() => []);
      const names = entries
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
        .map((entry) => entry.name);
      return Promise.all(
        names.toSorted().map(async (name) => ({ name, created: (await fs.stat(path.join(root, name))).birthtime })),
      );
    },
    async localPath(bucket, key) {
      const sidecar = (await indexOf(bucket)).get(key);
      return sidecar && path.join(folderOf(bucket), sidecar.file);
    },
  };
}

function requireKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes < 1 || bytes > 1024 || !key.isWellFormed()) {
    throw new AppError("INVALID_INPUT", `a key has 1 to 1024 bytes of UTF-8, this one ${bytes}`);
  }
}

interface Written {
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
  readonly md5: string;
}

/** The bytes under a name that nothing refers to yet; on any failure they are gone again. */
async function writeContent(folder: string, key: string, content: Content, options: PutOptions): Promise<Written> {
  const name = createHash("sha256").update(key).digest("hex");
  const file = path.join(name.slice(0, 2), `${name}.${randomBytes(6).toString("hex")}.bin`);
  const target = path.join(folder, file);
  const sha256 = createHash("sha256");
  const md5 = createHash("md5");
  let size = 0;
  try {
    await fs.mkdir(path.dirname(target), { recursive: true });
    const handle = await fs.open(target, "wx", 0o600);
    try {
      for await (const chunk of chunksOf(content)) {
        options.signal?.throwIfAborted();
        sha256.update(chunk);
        md5.update(chunk);
        size += chunk.byteLength;
        await handle.writeFile(chunk);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    const written = { file, size, sha256: sha256.digest("hex"), md5: md5.digest("hex") };
    if (options.sha256 !== undefined && options.sha256.toLowerCase() !== written.sha256) {
      throw new AppError("DIGEST_MISMATCH", `expected SHA-256 ${options.sha256.slice(0, 64)}, got ${written.sha256}`);
    }
    return written;
  } catch (error) {
    await fs.rm(target, { force: true }).catch(() => undefined);
    throw storageError(error);
  }
}

async function* chunksOf(content: Content): AsyncIterable<Uint8Array> {
  if (typeof content === "string") yield Buffer.from(content);
  else if (content instanceof Uint8Array) yield content;
  else yield* content;
}

async function openObject(
  file: string,
  sidecar: Sidecar,
  asked?: { start: number; end?: number },
): Promise<StoredObject> {
  const info = infoOf(sidecar);
  const range = asked && { start: asked.start, end: Math.min(asked.end ?? info.size - 1, info.size - 1) };
  if (range && (range.start < 0 || range.start > range.end)) {
    throw new AppError("RANGE", `the object has ${info.size} bytes`, { size: info.size });
  }
  const handle = await fs.open(file, "r");
  // An empty file has no last byte to name.
  const stream = createReadStream(file, { fd: handle, autoClose: true, ...range });
  return { ...info, stream: Readable.toWeb(stream) as ReadableStream<Uint8Array>, ...(range ? { range } : {}) };
}
