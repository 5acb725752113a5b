// Detectors with labels of their own: whoever loads one says which of ours each means; its probabilities keep their names.
import type { Label } from "@mlsec/contracts";
import type { DetectorVerdict } from "@mlsec/engine";

export type LabelMap = Readonly<Record<string, Label>>;

/** The map as the engine wants it. */
export const sidesOf = (map: LabelMap): Record<string, "attack" | "benign"> =>
  Object.fromEntries(Object.entries(map).map(([label, ours]) => [label, ours === "benign" ? "benign" : "attack"]));

/** The prediction in our words: `benign` exactly when it is no attack. */
export const predictionOf = ({ isAttack, prediction }: DetectorVerdict, map: LabelMap | undefined): string =>
  isAttack ? (map?.[prediction] ?? prediction) : "benign";
