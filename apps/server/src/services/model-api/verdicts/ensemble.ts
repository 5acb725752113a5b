// Which models form an ensemble and how much each one counts.
import { AppError } from "@mlsec/contracts";
import { combineVerdicts, type DetectorVerdict, type EnsembleMethod } from "@mlsec/engine";
import { nearest } from "../../../platform/http/validate.ts";
import { parseName, slotOf } from "../names.ts";
import type { Judged } from "./judge.ts";

/** One verdict out of many. Nobody has fitted a regression for stacking, so its weights are the members' own. */
export function combine(
  members: readonly Judged[],
  method: EnsembleMethod,
  weights: Readonly<Record<string, number>>,
): DetectorVerdict {
  const named = members.map(({ asked, verdict }) => ({ name: asked, verdict }));
  const threshold = sigmoid(
    members.reduce((sum, { asked, verdict }) => sum + (weights[asked] ?? 0) * logOdds(verdict.threshold), 0),
  );
  return combineVerdicts(named, method, { weights, stacking: { bias: 0, weights, threshold } });
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const logOdds = (p: number): number => Math.log(Math.max(p, 1e-15) / Math.max(1 - p, 1e-15));

/**
 * Weights by the names that were asked for, summing to 1; equal without weights.
 * INVALID_INPUT names a weight that belongs to no member, or says that all are zero.
 */
export function memberWeights(
  members: readonly string[],
  given: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const bySlot = new Map(Object.entries(given).map(([name, weight]) => [slotOf(parseName(name)), weight]));
  for (const name of Object.keys(given)) {
    if (members.some((member) => slotOf(parseName(member)) === slotOf(parseName(name)))) continue;
    const near = nearest(name, members);
    throw invalid(`model_weights.${name}`, `it is no member${near === undefined ? "" : `; did you mean "${near}"?`}`);
  }
  const isWeighted = bySlot.size > 0;
  const raw = members.map((member) => (isWeighted ? (bySlot.get(slotOf(parseName(member))) ?? 0) : 1));
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) throw invalid("model_weights", "all weights are zero");
  return Object.fromEntries(members.map((member, i) => [member, (raw[i] ?? 0) / total]));
}

/** Each model once, whatever it is called. */
export function distinct(names: readonly string[]): string[] {
  const bySlot = new Map(names.toReversed().map((name) => [slotOf(parseName(name)), name]));
  return names.filter((name) => bySlot.get(slotOf(parseName(name))) === name);
}

const invalid = (field: string, message: string): AppError =>
  new AppError("INVALID_INPUT", `${field}: ${message}`, { errors: [{ field, message }] });
