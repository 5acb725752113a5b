// The answer to a prediction, from one detector's verdict or from several combined.
import { randomUUIDv7 } from "node:crypto";
import type { Verdict } from "@mlsec/contracts";
import type { DetectorVerdict } from "@mlsec/engine";
import { predictionOf } from "../models/foreign.ts";
import type { VerdictRow } from "../store.ts";
import type { Judged } from "./judge.ts";

type Member = Verdict["model_predictions"][string];

interface Shown {
  readonly text: string;
  readonly now: Date;
  readonly latencyMs: number;
  readonly withProbabilities: boolean;
}

const member = ({ verdict, served }: Judged): Member => ({
  prediction: predictionOf(verdict, served.labelMap),
  confidence: verdict.confidence,
  attack_probability: verdict.attackProbability,
  is_attack: verdict.isAttack,
  model_version: served.located.version,
});

const round = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000;

export function singleAnswer(judged: Judged, shown: Shown): Verdict {
  const { served, asked, fromCache } = judged;
  return {
    ...common(judged.verdict, shown),
    prediction: predictionOf(judged.verdict, served.labelMap),
    calibrated: served.manifest.calibrated,
    model_name: served.name,
    requested_model: asked,
    model_version: served.located.version,
    model_predictions: { [served.slot]: member(judged) },
    ensemble_used: false,
    from_cache: fromCache,
    ...(judged.verdict.answeredBy ? { answered_by: judged.verdict.answeredBy } : {}),
  };
}

export function ensembleAnswer(members: readonly Judged[], combined: DetectorVerdict, shown: Shown): Verdict {
  return {
    ...common(combined, shown),
    calibrated: members.every(({ served }) => served.manifest.calibrated),
    model_name: "ensemble",
    requested_model: members.map(({ asked }) => asked).join(","),
    model_version: members.map(({ served }) => `${served.name}:${served.located.version}`).join(","),
    model_predictions: Object.fromEntries(members.map((judged) => [judged.served.slot, member(judged)])),
    ensemble_used: true,
    from_cache: members.every(({ fromCache }) => fromCache),
  };
}

function common(verdict: DetectorVerdict, { text, now, latencyMs, withProbabilities }: Shown) {
  return {
    verdict_id: randomUUIDv7(),
    text,
    prediction: verdict.prediction,
    confidence: verdict.confidence,
    ...(withProbabilities ? { probabilities: verdict.probabilities } : {}),
    attack_probability: verdict.attackProbability,
    is_attack: verdict.isAttack,
    threshold: verdict.threshold,
    spans: [...verdict.spans],
    windows: verdict.windows,
    processing_time_ms: round(latencyMs),
    timestamp: now.toISOString(),
  };
}

// PostgreSQL refuses numbers too small for its `real`, which a very sure detector does give.
const stored = (share: number): number => Math.round(share * 1e9) / 1e9;

/** What is kept of an answer: everything but the text. */
export function rowOf(answer: Verdict, verdict: DetectorVerdict, { hash, chars }: Judged): VerdictRow {
  return {
    id: answer.verdict_id,
    created_at: answer.timestamp,
    text_hash: hash,
    text_chars: chars,
    model_name: answer.model_name,
    requested_model: answer.requested_model,
    model_version: answer.model_version,
    label: answer.prediction,
    confidence: stored(answer.confidence),
    attack_probability: stored(answer.attack_probability),
    threshold: stored(answer.threshold),
    is_attack: answer.is_attack,
    probabilities: verdict.probabilities,
    from_cache: answer.from_cache,
    latency_ms: answer.processing_time_ms,
  };
}
