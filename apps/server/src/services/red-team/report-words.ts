// How reports write shares and severities.
import type { Severity } from "@mlsec/contracts";

/** Severest first. */
export const severities: readonly Severity[] = ["critical", "high", "medium", "low"];

export const percent = (rate: number | null): string => (rate === null ? "–" : `${(rate * 100).toFixed(1)} %`);
export const between = (interval: { low: number; high: number } | null): string =>
  interval ? `${percent(interval.low)} to ${percent(interval.high)}` : "–";
