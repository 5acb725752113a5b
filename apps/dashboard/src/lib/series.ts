/** Slots of a few seconds, added up by minute; minutes without a verdict are zero, not missing. */
import type { VerdictStats } from "@mlsec/contracts";

export interface Minute {
  readonly at: string;
  readonly verdicts: number;
  readonly attacks: number;
}

export function byMinute(series: VerdictStats["series"], minutes: number, nowMs: number): Minute[] {
  const last = Math.floor(nowMs / 60_000);
  const rows = Array.from({ length: minutes }, (_, i) => ({ minute: last - minutes + 1 + i, verdicts: 0, attacks: 0 }));
  for (const slot of series) {
    const row = rows[Math.floor(Date.parse(slot.at) / 60_000) - (rows[0]?.minute ?? 0)];
    if (!row) continue;
    row.verdicts += slot.verdicts;
    row.attacks += slot.attacks;
  }
  return rows.map(({ minute, ...counts }) => ({ at: new Date(minute * 60_000).toISOString(), ...counts }));
}
