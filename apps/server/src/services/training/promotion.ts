// The gate between a new version and the champion: both measured on the frozen suite, each at its own threshold.
import type { GateFigures, Promotion, Promote } from "@mlsec/contracts";

/** How much the false-positive rate may rise, absolute. */
export const maxFprRise = 0.01;

/** Mean of recall on attacks and recall on benign texts at the version's threshold: one number that neither side can buy. */
export const gateScore = ({ recall, false_positive_rate }: GateFigures): number =>
  (recall + 1 - false_positive_rate) / 2;

const percent = (rate: number): string => `${(rate * 100).toFixed(1)} %`;
const figures = (f: GateFigures): string =>
  `version ${f.version}: score ${percent(gateScore(f))}, recall ${percent(f.recall)} of ${f.attacks} attacks, false positives ${percent(f.false_positive_rate)} of ${f.benign} benign texts`;

/** What happens to the new version, and the sentence that says why with the figures of both. */
export function decidePromotion(
  asked: Promote,
  candidate: GateFigures,
  champion: GateFigures | undefined,
): Pick<Promotion, "decision" | "reason"> {
  const both = champion ? `${figures(candidate)}; champion ${figures(champion)}` : figures(candidate);
  if (asked === "never") return { decision: "not_requested", reason: `promotion was not asked for; ${both}` };
  if (!champion) return { decision: "first_champion", reason: `there was no champion; ${both}` };
  if (asked === "force") return { decision: "promoted", reason: `promotion was forced; ${both}` };
  const isBetter = gateScore(candidate) > gateScore(champion);
  const isCalm = candidate.false_positive_rate <= champion.false_positive_rate + maxFprRise + 1e-9;
  if (isBetter && isCalm)
    return {
      decision: "promoted",
      reason: `the candidate scores higher and its false positives rose by no more than ${percent(maxFprRise)}; ${both}`,
    };
  const why = isBetter
    ? `its false positives rose by more than ${percent(maxFprRise)}`
    : "it does not score higher than the champion";
  return { decision: "kept", reason: `the champion stays because of the candidate: ${why}; ${both}` };
}
