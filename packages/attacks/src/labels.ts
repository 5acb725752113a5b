/** Which labels an attack can have; the five labels themselves are the contracts'. */
import { type AttackLabel, labels } from "@mlsec/contracts";

export type { AttackLabel };

/** The four attack labels in their fixed order. */
export const attackLabels: readonly AttackLabel[] = labels.filter((label) => label !== "benign");
