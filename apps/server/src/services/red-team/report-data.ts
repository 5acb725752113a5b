// What every report format is written from.
import type { AttemptResult, Finding, MatrixCell, TestSummary } from "@mlsec/contracts";
import type { Control } from "./compliance.ts";

export type ReportAttempt = Omit<AttemptResult, "text"> & { readonly text_sha256: string; readonly text?: string };
export interface Report {
  readonly test: TestSummary;
  readonly cells: readonly MatrixCell[];
  /** What this test showed, suppressed ones included. */
  readonly findings: readonly Finding[];
  readonly attempts: readonly ReportAttempt[];
  readonly controls: readonly Control[];
  /** Tags of each pattern that the test used. */
  readonly tags: ReadonlyMap<string, readonly string[]>;
}
