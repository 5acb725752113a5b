// The detectors that come with the system: one folder each, found by their detector.json.
import fs from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const standard = fileURLToPath(new URL("../../../../../../models/", import.meta.url));

export const shippedRoot = (setting: string | undefined): string => path.resolve(setting ?? standard);

/** Names of the shipped detectors, in order. */
export async function shippedNames(root: string): Promise<string[]> {
  const entries = await fs.readdir(root, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const found = await Promise.all(
    folders.map(async (name) => ((await isDetector(path.join(root, name))) ? [name] : [])),
  );
  return found.flat().sort();
}

export const isDetector = (folder: string): Promise<boolean> => has(folder, "detector.json");
export const isHuggingFace = (folder: string): Promise<boolean> => has(folder, "config.json");

const has = (folder: string, file: string): Promise<boolean> =>
  fs.access(path.join(folder, file)).then(
    () => true,
    () => false,
  );
