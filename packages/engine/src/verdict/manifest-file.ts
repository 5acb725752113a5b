/** Reads, writes and verifies a detector folder by its `detector.json`. */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { type DetectorManifest, type FileEntry, manifestFile, parseManifest } from "./manifest.ts";

/**
 * Reads and checks `detector.json`.
 * @throws EngineError CONFIG when it is missing, not JSON or has a wrong field.
 * @example
 * (await readManifest("models/distilbert")).threshold;
 */
export async function readManifest(folder: string): Promise<DetectorManifest> {
  const where = join(folder, manifestFile);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(where, "utf8"));
  } catch (cause) {
    throw new EngineError("CONFIG", "detector.json cannot be read", { where }, { cause });
  }
  return parseManifest(value);
}

/**
 * Writes `detector.json` atomically.
 * @throws EngineError CONFIG when a field is wrong.
 * @example
 * await writeManifest("models/distilbert", manifest);
 */
export async function writeManifest(folder: string, manifest: DetectorManifest): Promise<void> {
  await writeAtomically(join(folder, manifestFile), `${JSON.stringify(parseManifest(manifest), null, 2)}\n`);
}

/**
 * Writes a text file so that readers see the old or the new one, never half of it.
 * @example
 * await writeAtomically("models/distilbert/README.md", card);
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await writeFile(temporary, text, { flush: true });
  await rename(temporary, path);
}

/**
 * Checksums of files of a folder; names that do not exist are left out.
 * @example
 * await checksums("models/distilbert", ["config.json", "tokenizer.json"]);
 */
export async function checksums(folder: string, names: readonly string[]): Promise<Record<string, FileEntry>> {
  const out: Record<string, FileEntry> = {};
  for (const name of names) {
    const info = await stat(join(folder, name)).catch(() => undefined);
    if (info?.isFile()) out[name] = { sha256: await sha256(join(folder, name)), bytes: info.size };
  }
  return out;
}

/**
 * Compares the files of a folder with its manifest. Of the listed files only the `required` ones must exist.
 * @throws EngineError INTEGRITY when a file is missing, unlisted although required, or differs.
 * @example
 * await verifyFiles("models/distilbert", manifest, ["config.json"]);
 */
export async function verifyFiles(
  folder: string,
  manifest: DetectorManifest,
  required: readonly string[],
): Promise<void> {
  for (const name of required) {
    if (!manifest.files[name]) throw new EngineError("INTEGRITY", "file has no recorded checksum", { where: name });
  }
  const found = await checksums(folder, Object.keys(manifest.files));
  for (const [name, expected] of Object.entries(manifest.files)) {
    const got = found[name];
    if (!got && !required.includes(name)) continue;
    if (got?.sha256 === expected.sha256 && got.bytes === expected.bytes) continue;
    throw new EngineError("INTEGRITY", got ? "file differs from its recorded checksum" : "file is missing", {
      where: name,
      expected: expected.sha256,
      got: got?.sha256,
    });
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
