/** From a trained folder to a detector folder: quantise, prove parity, calibrate, measure, write down. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { type ParityBudget, type ParityReport, parityGate } from "../infer/parity.ts";
import { quantise } from "../infer/quantise.ts";
import { weightFiles } from "../weights/names.ts";
import { linearFile } from "../linear/model.ts";
import { readModelConfig } from "../models/registry.ts";
import { defaultWindows } from "../linear/windows.ts";
import type { Scorecard } from "../metrics/scorecard.ts";
import { type Fitted, calibrate, halve } from "./calibrate.ts";
import { type CardFacts, renderCard } from "./card.ts";
import { createDetector } from "./detector.ts";
import { openScorer } from "./open.ts";
import { evaluateDetector, type LabelledText } from "./evaluate.ts";
import { benignLabel, labels } from "./labels.ts";
import type { DetectorManifest } from "./manifest.ts";
import { checksums, writeAtomically, writeManifest } from "./manifest-file.ts";

/** Options of `finishDetector`. */
export interface FinishOptions {
  readonly name: string;
  /** False-positive rate that the threshold is chosen at. Default 0.01. */
  readonly fpr?: number;
  readonly seed?: number;
  /** Form that is served. Default int8 for transformers. */
  readonly precision?: "fp32" | "int8";
  /** Default 128 tokens (or the model's longest input) and a quarter of it; linear: 1,500 characters and a fifth. */
  readonly windowTokens?: number;
  readonly overlapTokens?: number;
  readonly base?: string;
  readonly trainedOn?: Readonly<Record<string, unknown>>;
  readonly parity?: ParityBudget;
  readonly facts?: CardFacts;
  /** Long clean texts made per length for the length penalty. Default 60. */
  readonly longTexts?: number;
  readonly threads?: number;
  /** ISO date of the manifest. Default now. */
  readonly createdAt?: string;
  readonly onProgress?: (phase: FinishPhase, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Steps of `finishDetector`, in order. */
export type FinishPhase = "quantising" | "parity" | "calibrating" | "evaluating" | "writing";

/** The scorecard of a finished detector, with the parity of its quantised form. */
export interface DetectorScorecard extends Scorecard {
  readonly parity: ParityReport | null;
}

/** Rows that the parity gate reads. */
const PARITY_ROWS = 256;

/** Everything that may belong to a detector, besides its manifest. */
const ownFiles = [
  "config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  ...Object.values(weightFiles),
  "linear.bin",
];

/**
 * Finishes a folder that holds a trained model, in place. Half of the rows fit temperature, length penalty and
 * threshold; the scorecard is of the other half, which chose nothing.
 * Writes the int8 weights, `detector.json`, `scorecard.json` and `README.md`.
 * @param rows held-out rows that training never saw
 * @throws EngineError PARITY when the int8 form answers too differently, DATA when rows are missing or mislabelled.
 * @example
 * const card = await finishDetector("out", heldOut, { name: "distilbert", fpr: 0.01, seed: 1 });
 */
export async function finishDetector(
  folder: string,
  rows: readonly LabelledText[],
  options: FinishOptions,
): Promise<DetectorScorecard> {
  const { seed = 1, fpr = 0.01, signal, onProgress } = options;
  const draft = await draftManifest(folder, options);
  const parity = draft.precision === "int8" ? await quantiseAndCompare(folder, rows, options) : null;
  const [fitRows, reportRows] = halve(rows, seed);
  const scorer = await openScorer(folder, draft, { threads: options.threads ?? 0, maxQueue: Number.MAX_SAFE_INTEGER });
  try {
    const fitted = await calibrate(scorer, fitRows, {
      ...{ labels: draft.labels, benignLabels: draft.benignLabels, fpr, seed, signal },
      strideTokens: draft.windowTokens - draft.overlapTokens,
      ...(options.longTexts === undefined ? {} : { longTexts: options.longTexts }),
      onProgress: (done, total) => onProgress?.("calibrating", done, total),
    });
    const detector = createDetector({ ...draft, ...fitted }, scorer);
    const figures = await evaluateDetector(detector, reportRows, {
      ...{ fpr, seed, ...(signal ? { signal } : {}) },
      onProgress: (done, total) => onProgress?.("evaluating", done, total),
    });
    const card = { ...figures, parity };
    onProgress?.("writing", 0, 1);
    await writeFolder(folder, draft, fitted, card, options.facts);
    onProgress?.("writing", 1, 1);
    return card;
  } finally {
    await scorer.release();
  }
}

/** The manifest before anything is fitted. */
async function draftManifest(folder: string, options: FinishOptions): Promise<DetectorManifest> {
  const isLinear = (await stat(join(folder, linearFile)).catch(() => undefined)) !== undefined;
  const spec = isLinear ? undefined : (await readModelConfig(folder)).config;
  if (spec && spec.labels.join() !== labels.join()) {
    const details = { where: "config.json: id2label", expected: labels, got: spec.labels };
    throw new EngineError("CONFIG", "a detector of ours has the five labels in their order", details);
  }
  const maxTokens = spec?.maxTokens ?? 1_000_000_000;
  const windowTokens = Math.min(maxTokens, options.windowTokens ?? (isLinear ? defaultWindows.size : 128));
  return {
    format: 1,
    kind: isLinear ? "linear" : "transformer",
    name: options.name,
    labels,
    benignLabels: [benignLabel],
    maxTokens,
    windowTokens,
    overlapTokens: options.overlapTokens ?? Math.floor(windowTokens / (isLinear ? 5 : 4)),
    temperature: 1,
    poolingPenalty: 0,
    threshold: 0.5,
    thresholdFpr: options.fpr ?? 0.01,
    calibrated: true,
    precision: options.precision ?? (isLinear ? "fp32" : "int8"),
    ...(options.base === undefined ? {} : { base: options.base }),
    ...(options.trainedOn === undefined ? {} : { trainedOn: options.trainedOn }),
    createdAt: options.createdAt ?? new Date().toISOString(),
    files: {},
  };
}

async function quantiseAndCompare(
  folder: string,
  rows: readonly LabelledText[],
  options: FinishOptions,
): Promise<ParityReport> {
  options.onProgress?.("quantising", 0, 1);
  const step = Math.max(1, Math.floor(rows.length / PARITY_ROWS));
  const texts = rows.filter((_, i) => i % step === 0).map(({ text }) => text);
  const samples = rows.filter((_, i) => i % (4 * step) === 1).map(({ text }) => text);
  await quantise(folder, samples.length > 0 ? samples : texts);
  options.onProgress?.("parity", 0, 1);
  return parityGate(folder, texts, { ...options.parity, threads: options.threads ?? 0 });
}

async function writeFolder(
  folder: string,
  draft: DetectorManifest,
  fitted: Fitted,
  card: DetectorScorecard,
  facts: CardFacts | undefined,
): Promise<void> {
  await writeAtomically(join(folder, "scorecard.json"), `${JSON.stringify(card, null, 2)}\n`);
  const files = await checksums(folder, ownFiles);
  const manifest: DetectorManifest = { ...draft, ...fitted, files };
  await writeAtomically(join(folder, "README.md"), renderCard(manifest, card, facts));
  await writeManifest(folder, manifest);
}

/**
 * Reads a folder's `scorecard.json`.
 * @throws EngineError DATA when it is missing or not JSON.
 * @example
 * (await readScorecard("models/distilbert")).macroF1.value;
 */
export async function readScorecard(folder: string): Promise<DetectorScorecard> {
  const where = join(folder, "scorecard.json");
  try {
    return JSON.parse(await readFile(where, "utf8")) as DetectorScorecard;
  } catch (cause) {
    throw new EngineError("DATA", "scorecard.json cannot be read", { where }, { cause });
  }
}
