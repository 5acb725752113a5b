// Texts in, verdicts out: finds the loaded detector, answers from the cache where it can, and asks the worker for the rest.
import { AppError } from "@mlsec/contracts";
import type { DetectorVerdict, TokenAttribution } from "@mlsec/engine";
import type { Metrics } from "../../../platform/telemetry/metrics.ts";
import { hashText } from "../hash.ts";
import type { AskOptions } from "../inference/inference.ts";
import type { Catalogue } from "../models/catalogue.ts";
import { untrained } from "../models/catalogue.ts";
import type { Pool, Served } from "../models/pool.ts";
import { families, parseName, slotOf, unknownModel } from "../names.ts";
import type { Admission } from "./admission.ts";
import type { VerdictCache } from "./cache.ts";

export interface Judged {
  readonly verdict: DetectorVerdict;
  readonly served: Served;
  /** The name that was asked for. */
  readonly asked: string;
  readonly hash: string;
  readonly chars: number;
  readonly fromCache: boolean;
}
export interface Judge {
  /** The loaded detector of a name: MODEL_NOT_FOUND, MODEL_UNTRAINED or MODEL_NOT_LOADED otherwise. */
  find(asked: string): Promise<Served>;
  /** TEXT_TOO_LONG names the limit. */
  requireLength(text: string): void;
  judge(asked: string, texts: readonly string[], options?: AskOptions): Promise<Judged[]>;
  /** Without cache, cascade and counting, for explanations: one model's probabilities compare with each other. */
  probe(served: Served, texts: readonly string[], signal?: AbortSignal): Promise<readonly DetectorVerdict[]>;
  /** What each token adds to the log odds of an attack. */
  attribute(served: Served, text: string, signal?: AbortSignal): Promise<readonly TokenAttribution[]>;
}

interface Options {
  readonly pool: Pool;
  readonly catalogue: Catalogue;
  readonly cache: VerdictCache;
  readonly admission: Admission;
  readonly metrics: Metrics;
  readonly maxChars: number;
}

export function createJudge({ pool, catalogue, cache, admission, metrics, maxChars }: Options): Judge {
  const find = async (asked: string): Promise<Served> => {
    const ref = parseName(asked);
    if (ref.form === "pretrained") throw await pretrainedError(asked, ref.name, catalogue);
    const slot = pool.slot(slotOf(ref));
    if (slot?.served) return slot.served;
    if (slot?.loading) return await slot.loading;
    if (slot?.evicted) return await pool.load(ref);
    // A pinned version is answered by the champion when that is it.
    const champion = ref.version === undefined ? undefined : pool.slot(ref.name)?.served;
    if (champion?.located.version === ref.version && champion !== undefined) return champion;
    const known = ref.form === "trained" ? await catalogue.names() : [];
    if (ref.form === "trained" && !known.includes(ref.name)) throw unknownModel(asked, known);
    const why = slot?.error === undefined ? "" : ` (${slot.error})`;
    const message = `"${asked}" is not loaded${why}; POST /models/${slotOf(ref)}/load loads it`;
    throw new AppError("MODEL_NOT_LOADED", message, { asked });
  };

  const score = async (served: Served, texts: readonly string[], options: AskOptions) => {
    const { leave } = admission.enter(texts);
    try {
      return await pool.verdicts(served, texts, options);
    } finally {
      leave();
    }
  };

  const answered = metrics.counter("mlsec_cascade_verdicts_total", "Fresh verdicts by the part of a cascade.", [
    "model",
    "answered_by",
  ]);
  const measure = ({ slot }: Served, { timings, windows, answeredBy }: DetectorVerdict): void => {
    if (answeredBy) answered.inc({ model: slot, answered_by: answeredBy });
    metrics.stage("tokenize", timings.tokenizeMs / 1000);
    metrics.stage("infer", timings.inferMs / 1000);
    metrics.batch("windows", windows);
  };

  return {
    find,
    requireLength: (text) => requireLength(text, maxChars),
    async judge(asked, texts, options = {}) {
      const served = await find(asked);
      const hashes = texts.map(hashText);
      // A student's answer is none where the full detector is asked.
      const cached = hashes.map((hash) => {
        const known = cache.get(served, keyOf(hash, options));
        return options.whole && known?.answeredBy === "student" ? undefined : known;
      });
      const missing = texts.filter((_, i) => cached[i] === undefined);
      const fresh = missing.length === 0 ? [] : await score(served, missing, options);
      for (const verdict of fresh) measure(served, verdict);
      let next = 0;
      return texts.map((text, i) => {
        const verdict = cached[i] ?? fresh[next++];
        const hash = hashes[i] ?? "";
        if (!verdict) throw new AppError("INTERNAL", "the inference worker left a text without a verdict");
        if (!cached[i] && !options.whole) cache.set(served, keyOf(hash, options), verdict);
        return { verdict, served, asked, hash, chars: text.length, fromCache: cached[i] !== undefined };
      });
    },
    probe: (served, texts, signal) => score(served, texts, { signal, whole: true }),
    async attribute(served, text, signal) {
      const { leave } = admission.enter([text]);
      try {
        return await pool.attribute(served, text, signal);
      } finally {
        leave();
      }
    },
  };
}

// Spans that are narrowed as far as can be are another answer than the quick ones.
const keyOf = (hash: string, { explain = false }: AskOptions): string => (explain ? `${hash}+` : hash);

/** Counted as code points, as the callers' languages do; code units first, which is quick and never less. */
function requireLength(text: string, maxChars: number): void {
  if (text.length <= maxChars) return;
  const pairs = text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0;
  const chars = text.length - pairs;
  if (chars > maxChars)
    throw new AppError(
      "TEXT_TOO_LONG",
      `the text has ${chars} characters; at most ${maxChars} are judged (MLSEC_MAX_TEXT_CHARS)`,
    );
}

async function pretrainedError(asked: string, name: string, catalogue: Catalogue): Promise<AppError> {
  if ((families as readonly string[]).includes(name)) return untrained(name);
  return unknownModel(asked, await catalogue.names());
}
