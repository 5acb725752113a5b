/** Ensembles: one verdict out of the verdicts of several detectors on the same text. */
import { EngineError } from "../error.ts";
import type { DetectorVerdict } from "./detector.ts";
import { benignLabel, labels } from "./labels.ts";
import { logOddsOf, sigmoid } from "./pooling.ts";
import { mergeSpans } from "./spans.ts";

/** How verdicts are combined. */
export type EnsembleMethod = "voting" | "averaging" | "weighted" | "stacked";

/** One member's verdict. A member with other labels than ours only lends its P(attack). */
export interface EnsembleMember {
  readonly name: string;
  readonly verdict: DetectorVerdict;
}

/** Numbers of a method. */
export interface EnsembleOptions {
  /** By member name; members without one weigh 1. For voting, averaging is unweighted. */
  readonly weights?: Readonly<Record<string, number>>;
  /** stacked: logistic regression over the members' log odds of an attack. */
  readonly stacking?: {
    readonly bias: number;
    readonly weights: Readonly<Record<string, number>>;
    readonly threshold: number;
  };
}

/**
 * Combines verdicts. voting: share of votes, half is enough; averaging and weighted: mean P(attack) against the mean
 * threshold; stacked: logistic regression. `windows`, `tokens` and timings are sums.
 * @throws EngineError CONFIG without members, with bad weights, or stacked without its regression.
 * @example
 * combineVerdicts([{ name: "a", verdict: first }, { name: "b", verdict: second }], "averaging");
 */
export function combineVerdicts(
  members: readonly EnsembleMember[],
  method: EnsembleMethod,
  options: EnsembleOptions = {},
): DetectorVerdict {
  if (members.length === 0) throw new EngineError("CONFIG", "an ensemble of no verdicts");
  const { attackProbability, threshold } = decide(members, method, options);
  const isAttack = attackProbability >= threshold;
  const probabilities = labelShares(members, attackProbability);
  const attackLabels = Object.keys(probabilities).filter((label) => label !== benignLabel);
  const likeliest = attackLabels.reduce((a, b) => ((probabilities[b] ?? 0) > (probabilities[a] ?? 0) ? b : a));
  const hits = members.flatMap(({ verdict }) => (verdict.isAttack ? verdict.spans : []));
  const sum = (of: (verdict: DetectorVerdict) => number): number =>
    members.reduce((total, { verdict }) => total + of(verdict), 0);
  return {
    prediction: isAttack ? likeliest : benignLabel,
    confidence: isAttack ? attackProbability : 1 - attackProbability,
    probabilities,
    attackProbability,
    isAttack,
    threshold,
    spans: isAttack ? mergeSpans(hits) : [],
    windows: sum(({ windows }) => windows),
    tokens: sum(({ tokens }) => tokens),
    timings: {
      tokenizeMs: sum(({ timings }) => timings.tokenizeMs),
      inferMs: sum(({ timings }) => timings.inferMs),
    },
  };
}

function decide(
  members: readonly EnsembleMember[],
  method: EnsembleMethod,
  options: EnsembleOptions,
): { attackProbability: number; threshold: number } {
  if (method === "stacked") {
    const { stacking } = options;
    if (!stacking) throw new EngineError("CONFIG", "stacked needs its regression", { where: "stacking" });
    const odds = members.reduce((sum, { name, verdict }) => {
      const weight = stacking.weights[name];
      if (weight === undefined) throw new EngineError("CONFIG", "member has no regression weight", { where: name });
      return sum + weight * logOddsOf(verdict.attackProbability);
    }, stacking.bias);
    return { attackProbability: sigmoid(odds), threshold: stacking.threshold };
  }
  if (method === "voting") {
    const votes = members.filter(({ verdict }) => verdict.isAttack).length;
    return { attackProbability: votes / members.length, threshold: 0.5 };
  }
  const weightOf = ({ name }: EnsembleMember): number => (method === "weighted" ? (options.weights?.[name] ?? 1) : 1);
  const total = members.reduce((sum, member) => sum + weightOf(member), 0);
  if (!members.every((member) => weightOf(member) >= 0) || !(total > 0) || !Number.isFinite(total)) {
    throw new EngineError("CONFIG", "weights must be zero or more and not all zero", { got: options.weights });
  }
  const mean = (of: (verdict: DetectorVerdict) => number): number =>
    members.reduce((sum, member) => sum + weightOf(member) * of(member.verdict), 0) / total;
  return {
    attackProbability: mean((verdict) => verdict.attackProbability),
    threshold: mean((verdict) => verdict.threshold),
  };
}

/** P(attack) shared among our labels as the members with these labels share it. */
function labelShares(members: readonly EnsembleMember[], attackProbability: number): Record<string, number> {
  const own = members.filter(({ verdict }) => labels.every((label) => label in verdict.probabilities));
  if (own.length === 0) return { attack: attackProbability, [benignLabel]: 1 - attackProbability };
  const mass = labels.map((label) =>
    own.reduce((sum, { verdict }) => {
      const share = verdict.attackProbability > 0 ? (verdict.probabilities[label] ?? 0) / verdict.attackProbability : 0;
      return sum + share;
    }, 0),
  );
  const attackMass = labels.reduce((sum, label, i) => (label === benignLabel ? sum : sum + (mass[i] ?? 0)), 0);
  return Object.fromEntries(
    labels.map((label, i) => {
      if (label === benignLabel) return [label, 1 - attackProbability];
      const share = attackMass > 0 ? (mass[i] ?? 0) / attackMass : 1 / (labels.length - 1);
      return [label, share * attackProbability];
    }),
  );
}
