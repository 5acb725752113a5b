/** Metrics of a score that should be high for attacks: ROC, recall at a fixed false-positive rate, thresholds. */
import { EngineError } from "../error.ts";

/** Truth per row: 1 or true is an attack. */
export type Flags = ArrayLike<number | boolean>;

/** Row indices by falling score; reuse it when the same scores are measured with many weights. */
export type ScoreOrder = Uint32Array;

/**
 * Indices by falling score.
 * @throws EngineError DATA when a score is NaN.
 * @example
 * scoreOrder([0.1, 0.9]); // [1, 0]
 */
export function scoreOrder(scores: ArrayLike<number>): ScoreOrder {
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) throw new EngineError("DATA", "a score is NaN", { where: `row ${i}` });
  }
  return Uint32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
}

/** Options shared by the ranking metrics. `weights` counts each row that often; `order` saves sorting again. */
export interface RankingOptions {
  readonly weights?: ArrayLike<number>;
  readonly order?: ScoreOrder;
}

/**
 * Area under the ROC curve: the chance that an attack outscores a benign text, ties counting half.
 * @throws EngineError DATA unless both kinds occur.
 * @example
 * rocAuc([0.9, 0.1], [1, 0]); // 1
 */
export function rocAuc(scores: ArrayLike<number>, isAttack: Flags, options: RankingOptions = {}): number {
  let attacks = 0;
  let benign = 0;
  let area = 0;
  for (const step of rocSteps(scores, isAttack, options)) {
    area += step.benign * (attacks + step.attacks / 2);
    attacks += step.attacks;
    benign += step.benign;
  }
  requireBoth(attacks, benign);
  return area / (attacks * benign);
}

/**
 * The lowest threshold whose false-positive rate on these rows is at most `fpr` ("score ≥ threshold" is a hit).
 * It lies midway to the next higher score seen, so that it does not hang on one row's last digit.
 * @throws EngineError DATA when no row is benign.
 * @example
 * thresholdAtFpr([0.1, 0.2, 0.9], [0, 0, 1], 0); // 0.55
 */
export function thresholdAtFpr(scores: ArrayLike<number>, isAttack: Flags, fpr: number): number {
  const benign: number[] = [];
  for (let i = 0; i < scores.length; i++) if (!isAttack[i]) benign.push(scores[i] ?? 0);
  if (benign.length === 0) throw new EngineError("DATA", "a threshold needs benign rows");
  benign.sort((a, b) => b - a);
  const allowed = Math.floor(fpr * benign.length + 1e-9);
  const cut = benign[allowed];
  if (cut === undefined) return benign.at(-1) ?? 0; // every benign row may be flagged
  let next = Number.POSITIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? 0;
    if (score > cut && score < next) next = score;
  }
  const middle = next === Number.POSITIVE_INFINITY ? cut : (cut + next) / 2;
  return middle > cut ? middle : cut + Math.max(Number.MIN_VALUE, Math.abs(cut) * 2 ** -52);
}

/**
 * Share of attacks found at the lowest threshold whose false-positive rate is at most `fpr`.
 * @throws EngineError DATA unless both kinds occur.
 * @example
 * recallAtFpr([0.9, 0.3, 0.2], [1, 0, 1], 0); // 0.5
 */
export function recallAtFpr(
  scores: ArrayLike<number>,
  isAttack: Flags,
  fpr: number,
  options: RankingOptions = {},
): number {
  let attacks = 0;
  let benign = 0;
  const points: { attacks: number; benign: number }[] = [];
  for (const step of rocSteps(scores, isAttack, options)) {
    attacks += step.attacks;
    benign += step.benign;
    points.push({ attacks, benign });
  }
  requireBoth(attacks, benign);
  let best = 0;
  for (const point of points) {
    if (point.benign > fpr * benign + 1e-9) break;
    best = point.attacks;
  }
  return best / attacks;
}

/** Groups of equal scores, from the highest down, with how much weight of each kind they hold. */
function* rocSteps(
  scores: ArrayLike<number>,
  isAttack: Flags,
  { weights, order = scoreOrder(scores) }: RankingOptions,
): Generator<{ attacks: number; benign: number }> {
  for (let i = 0; i < order.length; ) {
    const score = scores[order[i] ?? 0];
    const step = { attacks: 0, benign: 0 };
    for (; i < order.length && scores[order[i] ?? 0] === score; i++) {
      const row = order[i] ?? 0;
      const weight = weights ? (weights[row] ?? 0) : 1;
      if (isAttack[row]) step.attacks += weight;
      else step.benign += weight;
    }
    yield step;
  }
}

function requireBoth(attacks: number, benign: number): void {
  if (attacks === 0 || benign === 0) {
    throw new EngineError("DATA", "needs attacks and benign rows", { got: { attacks, benign } });
  }
}
