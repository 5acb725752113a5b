/** Data of a call, kept fresh: loading, failed, or there. */
import { useCallback, useEffect, useRef, useState } from "react";
import { messageOf } from "./api.ts";

export interface Query<T> {
  readonly data: T | undefined;
  readonly error: string | undefined;
  readonly reload: () => void;
}

/**
 * Calls once, again whenever `key` changes, and every `everyMs` if given. Old data stays on screen while new data loads
 * and when a reload fails.
 */
export function useQuery<T>(key: string, call: () => Promise<T>, everyMs?: number): Query<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: string }>({ key });
  const [round, setRound] = useState(0);
  const latest = useRef(call);
  useEffect(() => {
    latest.current = call;
  });
  useEffect(() => {
    let stale = false;
    latest.current().then(
      (data) => !stale && setState({ key, data }),
      (error: unknown) =>
        !stale && setState((old) => ({ ...(old.key === key ? old : { key }), error: messageOf(error) })),
    );
    return () => {
      stale = true;
    };
  }, [key, round]);
  useEffect(() => {
    if (!everyMs) return;
    const timer = setInterval(() => document.visibilityState === "visible" && setRound((r) => r + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  const reload = useCallback(() => setRound((r) => r + 1), []);
  const current = state.key === key ? state : undefined;
  return { data: current?.data, error: current?.error, reload };
}

export interface Action {
  readonly busy: boolean;
  readonly error: string | undefined;
  readonly run: () => void;
}

/** A thing a person starts: busy while it runs, its failure shown beside the button. */
export function useAction(act: () => Promise<void>): Action {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const run = (): void => {
    if (busy) return;
    setBusy(true);
    setError(undefined);
    act()
      .catch((e: unknown) => setError(messageOf(e)))
      .finally(() => setBusy(false));
  };
  return { busy, error, run };
}
