/** The classes of the detectors, in the order of their logits. */

/** Labels in this order everywhere. */
export const labels = ["prompt_injection", "jailbreak", "system_extraction", "code_injection", "benign"] as const;

/** One of the five classes. */
export type Label = (typeof labels)[number];

/** The label that means no attack. */
export const benignLabel: Label = "benign";

/**
 * Whether a string is one of the five labels.
 * @example
 * isLabel("jailbreak"); // true
 */
export function isLabel(value: string): value is Label {
  return (labels as readonly string[]).includes(value);
}
