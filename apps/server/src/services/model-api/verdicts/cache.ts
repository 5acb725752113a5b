// Verdicts by version and text hash, least recently used first out, bounded in bytes.
import type { DetectorVerdict } from "@mlsec/engine";
import { LRUCache } from "lru-cache";
import type { Served } from "../models/pool.ts";

export interface VerdictCache {
  get(served: Served, hash: string): DetectorVerdict | undefined;
  set(served: Served, hash: string, verdict: DetectorVerdict): void;
  /** Forgets one slot's verdicts, or all; answers how many. */
  clear(slot?: string): number;
  stats(): { hits: number; misses: number; entries: number; capacity: number };
}

// A verdict without spans: five labelled probabilities and a dozen numbers, as V8 holds them.
const plainBytes = 700;
const spanBytes = 120;

export function createVerdictCache(maxBytes: number): VerdictCache {
  const entries =
    maxBytes === 0
      ? undefined
      : new LRUCache<string, DetectorVerdict>({
          maxSize: maxBytes,
          sizeCalculation: ({ spans }, key) => plainBytes + spans.length * spanBytes + key.length,
        });
  let hits = 0;
  let misses = 0;
  return {
    get(served, hash) {
      const found = entries?.get(keyOf(served, hash));
      if (found) hits++;
      else misses++;
      return found;
    },
    set: (served, hash, verdict) => void entries?.set(keyOf(served, hash), verdict),
    clear(slot) {
      const keys = [...(entries?.keys() ?? [])].filter((key) => slot === undefined || key.startsWith(`${slot}\n`));
      for (const key of keys) entries?.delete(key);
      return keys.length;
    },
    stats: () => ({ hits, misses, entries: entries?.size ?? 0, capacity: Math.floor(maxBytes / plainBytes) }),
  };
}

// The handle's key changes with every load, so a detector loaded anew never answers with an older one's verdicts.
const keyOf = ({ slot, open }: Served, hash: string): string => `${slot}\n${open.key}\n${hash}`;
