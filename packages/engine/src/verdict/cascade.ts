/** A cascade: a small student answers what it is sure of, the full detector the rest, at the full detector's threshold. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";
import type { Interval } from "../metrics/intervals.ts";
import { type Detector, type DetectorVerdict, servedFiles, type VerdictOptions } from "./detector.ts";
import { type DetectorOptions, openDetector } from "./open.ts";
import type { DetectorManifest } from "./manifest.ts";
import { readManifest } from "./manifest-file.ts";

/** Name of a cascade's file; it lies in the folder of the full detector. */
export const cascadeFile = "cascade.json";

/** When the student answers: one window of at most `maxChars` UTF-16 units, and P(attack) outside the band. */
export interface Band {
  /** The student's calibrated P(attack) up to which a text is benign; 0: the student never says benign. */
  readonly lower: number;
  /** The student's calibrated P(attack) from which a text is an attack; null: the student never says attack. */
  readonly upper: number | null;
  readonly maxChars: number;
}

/** One detector of a cascade: its name and the checksum of its weights. */
export interface CascadeMember {
  readonly name: string;
  readonly sha256: string;
}

/** How the band did on rows of one kind that it was not fitted on. */
export interface CascadeFigures {
  readonly rows: number;
  /** Rows the student may answer: one window, short enough. */
  readonly eligible: number;
  /** Share of the eligible rows that the student answered. */
  readonly share: Interval;
  /** Share of the eligible rows on which the cascade decides as the full detector does. */
  readonly agreement: Interval;
  /** The same of the student's own answers alone. */
  readonly sure: Interval;
  /** Of the eligible rows that the full detector flags, the share that the cascade flags too. */
  readonly kept: Interval;
}

/** `cascade.json`. */
export interface CascadeSpec {
  readonly format: 1;
  readonly student: CascadeMember;
  readonly full: CascadeMember;
  readonly band: Band;
  /** The agreement that the band was fitted to: the lower end of its 95 % interval. */
  readonly target: number;
  /** By kind of rows. */
  readonly figures: Readonly<Record<string, CascadeFigures>>;
  readonly createdAt: string;
}

/** A detector of two; `full` is the one that answers what the student is not sure of. */
export interface Cascade extends Detector {
  readonly student: Detector;
  readonly full: Detector;
  readonly band: Band;
}

/**
 * Puts a student before a detector. It answers for both; releasing it releases both.
 * @throws EngineError CONFIG when the labels differ, or when the band would let a student's answer contradict the
 * threshold that its verdict names.
 * @example
 * const cascade = createCascade({ student, full, band: { lower: 0.05, upper: 0.95, maxChars: 480 } });
 * const [verdict] = await cascade.verdicts(["What time is it?"]); // verdict.answeredBy === "student"
 */
export function createCascade(parts: { student: Detector; full: Detector; band: Band }): Cascade {
  const { student, full, band } = parts;
  requireFit(student.manifest, full.manifest, band);
  const answer = async (texts: readonly string[], options: VerdictOptions): Promise<DetectorVerdict[]> => {
    const out = texts.map<DetectorVerdict | undefined>(() => undefined);
    const short = texts.flatMap((text, i) => (text.length <= band.maxChars ? [i] : []));
    const first = await student.verdicts(pick(texts, short), options);
    for (const [at, verdict] of first.entries()) {
      const index = short[at];
      if (index !== undefined && isSure(verdict, band))
        out[index] = { ...verdict, threshold: full.manifest.threshold, answeredBy: "student" };
    }
    const open = texts.flatMap((_, i) => (out[i] ? [] : [i]));
    const rest = open.length === 0 ? [] : await full.verdicts(pick(texts, open), options);
    for (const [at, verdict] of rest.entries()) out[open[at] ?? 0] = { ...verdict, answeredBy: "full" };
    return out.flatMap((verdict) => verdict ?? []);
  };
  return {
    student,
    full,
    band,
    manifest: full.manifest,
    memoryBytes: student.memoryBytes + full.memoryBytes,
    verdicts: (texts, options = {}) => answer(texts, options),
    async release() {
      await Promise.all([student.release(), full.release()]);
    },
  };
}

/**
 * Whether a student's verdict stands. A text of several windows or views never does: what hides in one of them is
 * what the student is worst at.
 * @example
 * isSure(verdict, { lower: 0.05, upper: 0.95, maxChars: 480 });
 */
export function isSure({ windows, attackProbability }: DetectorVerdict, { lower, upper }: Band): boolean {
  const isClean = lower > 0 && attackProbability <= lower;
  return windows === 1 && (isClean || (upper !== null && attackProbability >= upper));
}

/**
 * Opens a detector folder with the student that its `cascade.json` names.
 * @param students the folder that holds the student's folder
 * @throws EngineError CONFIG when there is no `cascade.json`, it is damaged, or it was fitted on other weights than lie
 * here; otherwise as `openDetector`.
 * @example
 * const cascade = await openCascade("models/distilbert", "models", { threads: 2 });
 */
export async function openCascade(folder: string, students: string, options: DetectorOptions = {}): Promise<Cascade> {
  const spec = await readCascade(folder);
  const studentFolder = join(students, spec.student.name);
  requireWeights(spec.full, await readManifest(folder));
  requireWeights(spec.student, await readManifest(studentFolder));
  const student = await openDetector(studentFolder, options);
  try {
    const full = await openDetector(folder, options);
    return createCascade({ student, full, band: spec.band });
  } catch (error) {
    await student.release();
    throw error;
  }
}

/**
 * Reads and checks `cascade.json`.
 * @throws EngineError CONFIG when it is missing or has a wrong field.
 * @example
 * (await readCascade("models/distilbert")).band.lower;
 */
export async function readCascade(folder: string): Promise<CascadeSpec> {
  const where = join(folder, cascadeFile);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(where, "utf8"));
  } catch (cause) {
    throw new EngineError("CONFIG", "cascade.json cannot be read", { where }, { cause });
  }
  const { format, student, full, band } = (value ?? {}) as Partial<Record<keyof CascadeSpec, unknown>>;
  if (format !== 1 || !isMember(student) || !isMember(full) || !isBand(band))
    throw new EngineError("CONFIG", "cascade.json lacks format, student, full or band", { where });
  return value as CascadeSpec;
}

/**
 * What a cascade file calls a detector.
 * @throws EngineError CONFIG when the manifest lists no weights.
 * @example
 * memberOf(await readManifest("models/linear")); // { name: "linear", sha256: "…" }
 */
export function memberOf(manifest: DetectorManifest): CascadeMember {
  const weights = servedFiles(manifest).at(-1) ?? "";
  const sha256 = manifest.files[weights]?.sha256;
  if (sha256 === undefined) throw new EngineError("CONFIG", "the weights have no checksum", { where: weights });
  return { name: manifest.name, sha256 };
}

function requireWeights(expected: CascadeMember, manifest: DetectorManifest): void {
  const found = memberOf(manifest);
  if (found.sha256 === expected.sha256) return;
  const details = { where: cascadeFile, expected: expected.sha256, got: found.sha256 };
  throw new EngineError("CONFIG", `the cascade was fitted on other weights of "${expected.name}"`, details);
}

function requireFit(student: DetectorManifest, full: DetectorManifest, { lower, upper }: Band): void {
  if (student.labels.join() !== full.labels.join())
    throw new EngineError("CONFIG", "student and detector have other labels", {
      expected: full.labels,
      got: student.labels,
    });
  const isBenign = lower < student.threshold && lower < full.threshold;
  const isAttack = upper === null || (upper >= student.threshold && upper >= full.threshold);
  if (isBenign && isAttack) return;
  throw new EngineError("CONFIG", "the band must lie around both thresholds", {
    where: "band",
    expected: [student.threshold, full.threshold],
    got: [lower, upper],
  });
}

const pick = (texts: readonly string[], indices: readonly number[]): string[] => indices.map((i) => texts[i] ?? "");

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const isShare = (value: unknown): boolean => typeof value === "number" && value >= 0 && value <= 1;
// A name is one folder beside the detector's own, never a path.
const isMember = (value: unknown): boolean =>
  isRecord(value) && /^[\w-][\w.-]*$/.test(String(value["name"])) && /^[0-9a-f]{64}$/.test(String(value["sha256"]));
const isBand = (value: unknown): boolean =>
  isRecord(value) &&
  isShare(value["lower"]) &&
  (value["upper"] === null || isShare(value["upper"])) &&
  Number.isSafeInteger(value["maxChars"]) &&
  Number(value["maxChars"]) >= 0;
