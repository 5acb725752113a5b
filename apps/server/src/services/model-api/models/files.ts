// The files of a loaded detector, for those that judge with it elsewhere: in a browser, at an edge. Only what its manifest
// lists and serving needs, so a path leads nowhere else.
import fs from "node:fs/promises";
import { createReadStream } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { AppError } from "@mlsec/contracts";
import { manifestFile, servedFiles } from "@mlsec/engine";
import type { Served } from "./pool.ts";

/** NOT_FOUND for every other file, and when `sha256` is given and another version's file lies there now. */
export async function modelFile({ name, located, manifest }: Served, file: string, sha256?: string): Promise<Response> {
  const entry = Object.hasOwn(manifest.files, file) ? manifest.files[file] : undefined;
  const isListed = entry !== undefined && [...servedFiles(manifest), "tokenizer_config.json"].includes(file);
  const isManifest = file === manifestFile && Object.keys(manifest.files).length > 0;
  if (!isListed && !isManifest) throw new AppError("NOT_FOUND", `"${name}" has no such file to give`);
  if (sha256 !== undefined && sha256 !== entry?.sha256)
    throw new AppError("NOT_FOUND", `the file of "${name}" has changed; read ${manifestFile} again`);
  const at = path.join(located.folder, file);
  const { size } = await fs.stat(at).catch((cause: unknown) => {
    throw new AppError("NOT_FOUND", `a file of "${name}" is gone`, {}, { cause });
  });
  return new Response(Readable.toWeb(createReadStream(at)) as ReadableStream<Uint8Array>, {
    headers: {
      "content-type": file.endsWith(".json") ? "application/json" : "application/octet-stream",
      "content-length": String(size),
      "cache-control": sha256 === undefined ? "no-cache" : "private, max-age=31536000, immutable",
      ...(entry ? { etag: `"${entry.sha256}"` } : {}),
    },
  });
}
