/** `detector.json`: what a detector folder holds, how it is calibrated, and the checksums of its files. */
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

function isFile(name: string, entry: unknown): boolean {
  if (/[\\/]/.test(name) || name.startsWith(".") || !isRecord(entry)) return false;
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
