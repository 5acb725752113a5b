// One producer for all listeners. It works only while somebody listens, and a slow listener skips to the newest value.

export interface Feed<T> {
  /** The newest value at once when there is a fresh one, then each new one, until the signal aborts. */
  listen(signal: AbortSignal): AsyncIterable<T>;
  readonly listeners: number;
}
interface Options<T> {
  readonly produce: () => Promise<T>;
  /** Pause between two productions. */
  readonly intervalMs: number;
  readonly onError: (error: unknown) => void;
}

export function createFeed<T>({ produce, intervalMs, onError }: Options<T>): Feed<T> {
  const wakers = new Set<() => void>();
  let newest: { readonly value: T; readonly number: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isProducing = false;
  const work = async (): Promise<void> => {
    isProducing = true;
    try {
      newest = { value: await produce(), number: (newest?.number ?? 0) + 1 };
      for (const wake of wakers) wake();
    } catch (error) {
      onError(error);
    }
    isProducing = false;
    if (wakers.size > 0) timer = setTimeout(() => void work(), intervalMs);
    else newest = undefined;
  };
  const begin = (): void => {
    if (!isProducing && timer === undefined) void work();
  };
  const end = (): void => {
    if (wakers.size > 0) return;
    clearTimeout(timer);
    timer = undefined;
    // The next listener must not be shown a picture of long ago.
    if (!isProducing) newest = undefined;
  };
  return {
    get listeners() {
      return wakers.size;
    },
    async *listen(signal) {
      let next = Promise.withResolvers<void>();
      const wake = (): void => next.resolve();
      wakers.add(wake);
      signal.addEventListener("abort", wake);
      begin();
      try {
        for (let seen = 0; !signal.aborted; ) {
          if (newest && newest.number !== seen) {
            seen = newest.number;
            yield newest.value;
            continue;
          }
          await next.promise;
          next = Promise.withResolvers<void>();
        }
      } finally {
        signal.removeEventListener("abort", wake);
        wakers.delete(wake);
        end();
      }
    },
  };
}
