// What a wrong or a right answer does to a finding. Only rules; the store keeps what comes of them.
import type { FindingState } from "@mlsec/contracts";

export interface Known {
  readonly state: FindingState;
  /** Versions that it was seen on. */
  readonly versions: readonly string[];
  readonly fixedVersion: string | null;
}
export interface Seen {
  readonly version: string;
  /** False: this version answered the attack rightly. */
  readonly isWrong: boolean;
}
export interface Change {
  readonly state: FindingState;
  readonly fixedVersion: string | null;
  readonly event: "reopened" | "fixed" | null;
}

/**
 * A later version that answers rightly fixes a finding; one that answers wrongly again reopens it. Decided ones stay as
 * they were decided, and a version that flickers proves nothing.
 */
export function afterAnswer(known: Known, { version, isWrong }: Seen): Change {
  const { state, fixedVersion } = known;
  const isFixed = state === "fixed";
  if (isWrong && isFixed && !isOlder(version, fixedVersion))
    return { state: "open", fixedVersion: null, event: "reopened" };
  if (!isWrong && !isFixed && state !== "false_positive" && known.versions.every((seen) => isLater(version, seen)))
    return { state: "fixed", fixedVersion: version, event: "fixed" };
  return { state, fixedVersion, event: null };
}

/** Numbered versions by number. Others (revisions of a hub) have no order: another one counts as later. */
const isLater = (version: string, than: string): boolean =>
  isNumber(version) && isNumber(than) ? Number(version) > Number(than) : version !== than;
const isOlder = (version: string, than: string | null): boolean =>
  than !== null && isNumber(version) && isNumber(than) && Number(version) < Number(than);
const isNumber = (version: string): boolean => /^\d+$/.test(version);
