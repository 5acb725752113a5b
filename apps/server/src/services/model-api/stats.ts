// Verdicts of the last hour in memory: rate, latency and labels, in slots of ten seconds, without a query.
import type { VerdictStats } from "@mlsec/contracts";

const slotMs = 10_000;
const slots = 360;
// Latencies fall into classes 10 % apart, from 0.05 ms to about 90 s.
const least = 0.05;
const step = Math.log(1.1);
const classes = 152;

interface Slot {
  at: number;
  verdicts: number;
  attacks: number;
  labels: Map<string, number>;
  readonly latencies: Uint32Array;
}

export interface StatsRing {
  add(verdict: { label: string; isAttack: boolean; latencyMs: number }): void;
  read(minutes: number): Omit<VerdictStats, "cache">;
}

export function createStatsRing(clock: () => Date): StatsRing {
  const ring: (Slot | undefined)[] = new Array(slots).fill(undefined);
  const slotAt = (now: number): Slot => {
    const at = Math.floor(now / slotMs) * slotMs;
    const index = (at / slotMs) % slots;
    const found = ring[index];
    if (found?.at === at) return found;
    const fresh = { at, verdicts: 0, attacks: 0, labels: new Map(), latencies: new Uint32Array(classes) };
    ring[index] = fresh;
    return fresh;
  };
  return {
    add({ label, isAttack, latencyMs }) {
      const slot = slotAt(clock().getTime());
      slot.verdicts++;
      if (isAttack) slot.attacks++;
      slot.labels.set(label, (slot.labels.get(label) ?? 0) + 1);
      const index = classOf(latencyMs);
      slot.latencies[index] = (slot.latencies[index] ?? 0) + 1;
    },
    read(minutes) {
      const since = clock().getTime() - minutes * 60_000;
      const live = ring.flatMap((slot) => (slot && slot.at + slotMs > since ? slot : []));
      return summarise(
        live.sort((a, b) => a.at - b.at),
        minutes * 60,
      );
    },
  };
}

function summarise(live: readonly Slot[], seconds: number): Omit<VerdictStats, "cache"> {
  const total = new Uint32Array(classes);
  const byLabel: Record<string, number> = {};
  let verdicts = 0;
  let attacks = 0;
  for (const slot of live) {
    verdicts += slot.verdicts;
    attacks += slot.attacks;
    for (const [label, count] of slot.labels) byLabel[label] = (byLabel[label] ?? 0) + count;
    for (let i = 0; i < classes; i++) total[i] = (total[i] ?? 0) + (slot.latencies[i] ?? 0);
  }
  return {
    window_seconds: seconds,
    verdicts,
    attacks,
    rate_per_second: verdicts / seconds,
    latency_ms:
      verdicts === 0 ? null : { p50: quantile(total, 0.5), p95: quantile(total, 0.95), p99: quantile(total, 0.99) },
    by_label: byLabel,
    series: live.map((slot) => ({
      at: new Date(slot.at).toISOString(),
      verdicts: slot.verdicts,
      attacks: slot.attacks,
      p50_ms: slot.verdicts === 0 ? null : quantile(slot.latencies, 0.5),
    })),
  };
}

function classOf(latencyMs: number): number {
  const index = Math.round(Math.log(Math.max(latencyMs, least) / least) / step);
  return Math.min(index, classes - 1);
}

/** The middle of the class that holds the quantile, to three significant digits. */
function quantile(counts: Uint32Array, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  let index = 0;
  for (; index < counts.length; index++) {
    seen += counts[index] ?? 0;
    if (seen >= total * share) break;
  }
  return Number((least * Math.exp(index * step)).toPrecision(3));
}
