// How a finding's severity came about: docs/decisions/0008.
import { exposureOf } from "@mlsec/attacks";

/** `impact`: the weight of a wrong answer to the text as it is. The weight is never below that of the mildest severity. */
export function severityParts(impact: number, mutator: string | null) {
  const exposure = exposureOf(mutator);
  return { impact, exposure, weight: Math.max(1, impact * exposure) };
}
