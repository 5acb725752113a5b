// Writes verdicts to the database behind the caller's back: in batches, bounded, and once more before the process ends.
import type { Logger } from "../../../platform/telemetry/log.ts";
import type { Metrics } from "../../../platform/telemetry/metrics.ts";
import type { VerdictRow, VerdictStore } from "../store.ts";

const batchRows = 1_000;
const pauseMs = 500;
// While the database is away this much is kept; then the oldest go.
const maxRows = 50_000;

export interface Recorder {
  add(row: VerdictRow): void;
  /** Everything added before is in the database when this resolves; rejects when it cannot be written. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

export function createRecorder(store: VerdictStore, log: Logger, metrics: Metrics): Recorder {
  const lost = metrics.counter("mlsec_verdicts_lost_total", "Verdicts that could not be stored.");
  let rows: VerdictRow[] = [];
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const writeAll = async (): Promise<void> => {
    while (rows.length > 0) {
      const batch = rows.splice(0, batchRows);
      try {
        await store.insert(batch);
      } catch (error) {
        if (!isRefusal(error)) {
          rows.unshift(...batch);
          throw error;
        }
        // These rows would be refused again and hold up all others.
        lost.inc(batch.length);
        log.error({ error, rows: batch.length }, "the database refused verdicts");
      }
    }
  };

  const flush = async (): Promise<void> => {
    await writing?.catch(() => undefined);
    writing ??= writeAll().finally(() => {
      writing = undefined;
    });
    await writing;
  };

  const trim = (): void => {
    const excess = rows.length - maxRows;
    if (excess <= 0) return;
    rows = rows.slice(excess);
    lost.inc(excess);
  };

  const later = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      flush().catch((error: unknown) => {
        trim();
        log.warn({ error, waiting: rows.length }, "verdicts could not be stored yet");
        later();
      });
    }, pauseMs).unref();
  };

  return {
    add(row) {
      rows.push(row);
      if (rows.length > maxRows + batchRows) trim();
      later();
    },
    flush,
    async stop() {
      clearTimeout(timer);
      await flush().catch((error: unknown) => {
        lost.inc(rows.length);
        log.error({ error, rows: rows.length }, "the last verdicts could not be stored");
      });
    },
  };
}

/** Data that the database does not take (SQLSTATE classes 22 and 23), not a database that is away. */
const isRefusal = (error: unknown): boolean => /^2[23]/.test(String((error as { code?: unknown } | undefined)?.code));
