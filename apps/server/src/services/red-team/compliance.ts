// What a test says about each entry of the taxonomies: counts and where they come from, never a share alone.
import { tagTitle, taxonomies } from "@mlsec/attacks";
import type { Finding, MatrixCell } from "@mlsec/contracts";
import { intervalOf } from "./statistics.ts";

export interface Control {
  /** Such as `owasp:llm01`. */
  readonly tag: string;
  readonly taxonomy: string;
  readonly title: string;
  readonly source: string;
  readonly patterns: readonly string[];
  readonly attacks: number;
  readonly detected: number;
  readonly errored: number;
  readonly interval: { readonly low: number; readonly high: number } | null;
  /** Findings that stand: paths of the red-team service, ten at most. */
  readonly evidence: readonly string[];
  readonly findings: number;
}
const mostEvidence = 10;

/** A finding that counts: nobody called it wrong, accepted it or put it off. */
export const isActive = ({ state, suppression }: Finding): boolean =>
  (state === "open" || state === "confirmed") && suppression === null;

/** Entries that the test's patterns touch. */
export function compliance(
  cells: readonly MatrixCell[],
  findings: readonly Finding[],
  tags: ReadonlyMap<string, readonly string[]>,
): Control[] {
  const touched = [...new Set([...tags.values()].flat())].toSorted();
  return touched.map((tag) => {
    const has = (pattern: string | null): boolean => tags.get(pattern ?? "")?.includes(tag) ?? false;
    const of = cells.filter(({ pattern }) => has(pattern));
    const sum = (key: "attacks" | "detected" | "errored"): number => of.reduce((total, cell) => total + cell[key], 0);
    const standing = findings.filter(
      (finding) => finding.kind === "missed" && isActive(finding) && has(finding.pattern),
    );
    const taxonomy = taxonomies.find(({ prefix }) => tag.startsWith(`${prefix}:`));
    return {
      tag,
      taxonomy: taxonomy?.name ?? "",
      title: tagTitle(tag) ?? tag,
      source: taxonomy?.source ?? "",
      patterns: [...new Set(of.map(({ pattern }) => pattern))],
      attacks: sum("attacks"),
      detected: sum("detected"),
      errored: sum("errored"),
      interval: intervalOf(sum("detected"), sum("attacks")),
      evidence: standing.slice(0, mostEvidence).map(({ finding_id }) => `/findings/${finding_id}`),
      findings: standing.length,
    };
  });
}
