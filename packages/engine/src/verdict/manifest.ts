/** `detector.json`: what a detector folder holds, how it is calibrated, and the checksums of its files. */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { EngineError } from "../error.ts";

/** Name of the manifest in its folder. */
export const manifestFile = "detector.json";

/** Size and checksum of one file. */
export interface FileEntry {
  readonly sha256: string;
  readonly bytes: number;
}

/** The manifest of a detector folder. */
export interface DetectorManifest {
  readonly format: 1;
  readonly kind: "transformer" | "linear";
  readonly name: string;
  /** In the order of the logits. */
  readonly labels: readonly string[];
  /** Labels that mean no attack. A multi-label detector may have none: then all of them are absent in a benign text. */
  readonly benignLabels: readonly string[];
  /** The labels are independent: probabilities need not sum to 1, and P(attack) is that of the likeliest attack label. */
  readonly multiLabel?: boolean;
  /** Longest input of the model in tokens. */
  readonly maxTokens: number;
  readonly windowTokens: number;
  readonly overlapTokens: number;
  readonly temperature: number;
  readonly poolingPenalty: number;
  /** Calibrated P(attack) from which a text is an attack. */
  readonly threshold: number;
  /** The false-positive rate that the threshold was chosen at. */
  readonly thresholdFpr: number;
  /** False for a foreign model whose probabilities nobody fitted. */
  readonly calibrated: boolean;
  readonly precision: "fp32" | "int8";
  /** The model that training started from. */
  readonly base?: string;
  readonly trainedOn?: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  readonly files: Readonly<Record<string, FileEntry>>;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string" && value !== "";
const isTexts: Check = (value) => Array.isArray(value) && value.length > 0 && value.every(isText);
const isPositive: Check = (value) => typeof value === "number" && Number.isFinite(value) && value > 0;
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isShare: Check = (value) => typeof value === "number" && value >= 0 && value <= 1;
const isRecord: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isFiles: Check = (value) => isRecord(value) && Object.entries(value as object).every(([n, e]) => isFile(n, e));

/** Every field, its check, and what is expected; a trailing `?` marks those that may be absent. */
const fields: Readonly<Record<string, readonly [Check, string]>> = {
  format: [(value) => value === 1, "1"],
  kind: [(value) => value === "transformer" || value === "linear", "transformer or linear"],
  name: [isText, "text"],
  labels: [isTexts, "a list of labels"],
  benignLabels: [(value) => isTexts(value) || (Array.isArray(value) && value.length === 0), "a list of labels"],
  "multiLabel?": [(value) => typeof value === "boolean", "true or false"],
  maxTokens: [isPositive, "a positive number"],
  windowTokens: [isPositive, "a positive number"],
  overlapTokens: [isCount, "a whole number"],
  temperature: [isPositive, "a positive number"],
  poolingPenalty: [(value) => typeof value === "number" && value >= 0 && value <= 100, "0 to 100"],
  threshold: [isShare, "0 to 1"],
  thresholdFpr: [isShare, "0 to 1"],
  calibrated: [(value) => typeof value === "boolean", "true or false"],
  precision: [(value) => value === "fp32" || value === "int8", "fp32 or int8"],
  "base?": [isText, "text"],
  "trainedOn?": [isRecord, "an object"],
  createdAt: [(value) => isText(value) && !Number.isNaN(Date.parse(String(value))), "a date"],
  files: [isFiles, "plain file names with sha256 and bytes"],
};

/**
 * Checks a parsed manifest field by field.
 * @throws EngineError CONFIG that names the field, what was expected and what was there.
 * @example
 * const manifest = parseManifest(JSON.parse(text));
 */
export function parseManifest(value: unknown): DetectorManifest {
  if (!isRecord(value)) throw invalid("", "an object", value);
  const record = value as Record<string, unknown>;
  for (const [key, [check, expected]] of Object.entries(fields)) {
    const isOptional = key.endsWith("?");
    const name = isOptional ? key.slice(0, -1) : key;
    const field = record[name];
    if (isOptional && field === undefined) continue;
    if (!check(field)) throw invalid(name, expected, field);
  }
  const manifest = record as unknown as DetectorManifest;
  const { labels, benignLabels, windowTokens, overlapTokens, maxTokens } = manifest;
  const fewest = manifest.multiLabel === true ? 0 : 1;
  const isSome = benignLabels.length >= fewest && benignLabels.length < labels.length;
  if (!benignLabels.every((label) => labels.includes(label)) || !isSome) {
    throw invalid("benignLabels", "some but not all of the labels", benignLabels);
  }
  if (windowTokens > maxTokens) throw invalid("windowTokens", `at most maxTokens (${maxTokens})`, windowTokens);
  if (overlapTokens >= windowTokens) throw invalid("overlapTokens", "less than windowTokens", overlapTokens);
  return manifest;
}

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

function isFile(name: string, entry: unknown): boolean {
  if (name !== basename(name) || name.startsWith(".") || !isRecord(entry)) return false;
  const { sha256: sum, bytes } = entry as Record<string, unknown>;
  return typeof sum === "string" && /^[0-9a-f]{64}$/.test(sum) && isCount(bytes);
}

function invalid(field: string, expected: string, got: unknown): EngineError {
  return new EngineError("CONFIG", `detector.json: ${field || "the file"} is not ${expected}`, {
    where: field,
    expected,
    got,
  });
}
