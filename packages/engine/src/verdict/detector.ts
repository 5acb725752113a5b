/** Judges texts with an opened model: calibrated verdicts with evidence. The same offline, in the server and in a browser. */
import { linearFile } from "../linear/model.ts";
import { weightFiles } from "../weights/names.ts";
import { findEvidence } from "./evidence.ts";
import { benignLabel } from "./labels.ts";
import type { DetectorManifest } from "./manifest.ts";
import { type Calibration, pool, type Pooled } from "./pooling.ts";
import { scanTexts, type TextScan } from "./scan.ts";
import type { Scorer } from "./scorer.ts";
import { type Span, spansOf } from "./spans.ts";

/** The answer to one text. */
export interface DetectorVerdict {
  /** A benign label exactly when `isAttack` is false (`benign` where the model has none), else the likeliest attack. */
  readonly prediction: string;
  /** P(attack) if `isAttack`, else 1 − P(attack). */
  readonly confidence: number;
  /** By label; of a multi-label model each for itself. */
  readonly probabilities: Readonly<Record<string, number>>;
  readonly attackProbability: number;
  readonly isAttack: boolean;
  readonly threshold: number;
  /** Where the attack stands, in code points of the text as sent; empty for a benign text. */
  readonly spans: readonly Span[];
  /** Windows scored over all views. */
  readonly windows: number;
  /** Tokens over all views. */
  readonly tokens: number;
  /** Milliseconds; `inferMs` is shared by the texts of one call. */
  readonly timings: { readonly tokenizeMs: number; readonly inferMs: number };
  /** Which part of a cascade answered; absent where there is none. */
  readonly answeredBy?: "student" | "full";
}

/** Options of `Detector.verdicts`. */
export interface VerdictOptions {
  readonly signal?: AbortSignal | undefined;
  /** A hit of at most 160 characters stands as a whole: a short attack then costs one run instead of two. */
  readonly isBrief?: boolean | undefined;
}

/** An opened detector. Concurrent calls share batches. */
export interface Detector {
  readonly manifest: DetectorManifest;
  /** Bytes of its weights. */
  readonly memoryBytes: number;
  /**
   * Verdicts in the order of `texts`. No text is altered, cut or refused for what it says.
   * @throws EngineError OVERLOADED when too much waits, CANCELLED when `signal` aborts.
   */
  verdicts(texts: readonly string[], options?: VerdictOptions): Promise<DetectorVerdict[]>;
  /** Waits for running calls, then frees the model. */
  release(): Promise<void>;
}

/**
 * A detector over a scorer that is already open.
 * @example
 * const detector = createDetector(manifest, scorer);
 */
export function createDetector(manifest: DetectorManifest, scorer: Scorer): Detector {
  const benign = manifest.labels.map((label) => manifest.benignLabels.includes(label));
  const judge = async (texts: readonly string[], { signal, isBrief }: VerdictOptions): Promise<DetectorVerdict[]> => {
    const scans = await scanTexts(scorer, texts, signal);
    const judged = scans.map((scan) => ({ scan, pooled: poolWindows(scan, benign, manifest) }));
    const attacks = judged.filter(({ pooled }) => pooled.attackProbability >= manifest.threshold);
    const windows = attacks.map(({ scan }) => scan.windows);
    const evidence = await findEvidence(scorer, windows, { ...manifest, benign, isBrief }, signal);
    const hits = new Map(attacks.map(({ scan }, i) => [scan, evidence[i] ?? []]));
    return judged.map(({ scan, pooled }) => verdictOf(manifest, benign, scan, pooled, hits.get(scan)));
  };
  const running = new Set<Promise<unknown>>();
  return {
    manifest,
    memoryBytes: scorer.memoryBytes,
    async verdicts(texts, options = {}) {
      const answer = judge(texts, options);
      running.add(answer);
      try {
        return await answer;
      } finally {
        running.delete(answer);
      }
    },
    async release() {
      await Promise.allSettled(running);
      await scorer.release();
    },
  };
}

/**
 * Files that must be there and unchanged to serve a detector.
 * @example
 * servedFiles(manifest); // config.json, tokenizer.json, model.int8.safetensors
 */
export function servedFiles(manifest: Pick<DetectorManifest, "kind" | "precision">): string[] {
  if (manifest.kind === "linear") return [linearFile];
  return ["config.json", "tokenizer.json", weightFiles[manifest.precision]];
}

function poolWindows(scan: TextScan, benign: readonly boolean[], by: Calibration): Pooled {
  return pool(
    scan.windows.map(({ logits }) => logits),
    benign,
    by,
  );
}

function verdictOf(
  manifest: DetectorManifest,
  benign: readonly boolean[],
  scan: TextScan,
  pooled: Pooled,
  hits: readonly Span[] | undefined,
): DetectorVerdict {
  const { labels, threshold } = manifest;
  const { attackProbability, probabilities } = pooled;
  const isAttack = hits !== undefined;
  let prediction = labels.findIndex((_, i) => benign[i] !== isAttack);
  for (const [i, p] of probabilities.entries()) {
    if (benign[i] !== isAttack && p > (probabilities[prediction] ?? 0)) prediction = i;
  }
  return {
    prediction: labels[prediction] ?? benignLabel,
    confidence: isAttack ? attackProbability : 1 - attackProbability,
    probabilities: Object.fromEntries(labels.map((label, i) => [label, probabilities[i] ?? 0])),
    attackProbability,
    isAttack,
    threshold,
    spans: hits ? spansOf(scan.text, hits) : [],
    windows: scan.windows.length,
    tokens: scan.tokens,
    timings: { tokenizeMs: scan.tokenizeMs, inferMs: scan.inferMs },
  };
}
