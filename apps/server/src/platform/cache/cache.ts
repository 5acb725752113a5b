// A small key-value cache behind an interface, in process by default.
import { LRUCache } from "lru-cache";

export interface Cache {
  get<T>(key: string): Promise<T | undefined>;
  set(key: string, value: unknown, options?: { ttlMs?: number }): Promise<void>;
  delete(key: string): Promise<boolean>;
  /** Drops every key that starts with the prefix; answers how many. */
  clear(prefix: string): Promise<number>;
  stats(): Promise<{ entries: number; bytes: number; maxBytes: number; hits: number; misses: number }>;
}

/** Least recently used goes first. Values are held as JSON, so what is read back is a copy, as from a server. */
export function createMemoryCache(maxBytes = 32 * 2 ** 20): Cache {
  const entries = new LRUCache<string, string>({
    maxSize: maxBytes,
    sizeCalculation: (text, key) => 2 * (text.length + key.length) + 64,
  });
  let hits = 0;
  let misses = 0;
  return {
    async get<T>(key: string) {
      const text = entries.get(key);
      if (text === undefined) misses++;
      else hits++;
      return text === undefined ? undefined : (JSON.parse(text) as T);
    },
    async set(key, value, options = {}) {
      entries.set(key, JSON.stringify(value), options.ttlMs === undefined ? {} : { ttl: options.ttlMs });
    },
    delete: async (key) => entries.delete(key),
    async clear(prefix) {
      const keys = [...entries.keys()].filter((key) => key.startsWith(prefix));
      for (const key of keys) entries.delete(key);
      return keys.length;
    },
    stats: async () => ({ entries: entries.size, bytes: entries.calculatedSize, maxBytes, hits, misses }),
  };
}
