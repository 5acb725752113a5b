/** Server-sent events as React state. The browser reconnects by itself; `connected` says whether it is. */
import { useEffect, useState } from "react";

/** What reads an event: any schema of the contracts. */
interface Reader<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}
export interface Live<T> {
  readonly data: T | undefined;
  readonly connected: boolean;
  readonly failed: boolean;
}

/** Listens to one event of a stream while mounted; an undefined address listens to nothing. */
export function useLive<T>(url: string | undefined, event: string, schema: Reader<T>): Live<T> {
  const [data, setData] = useState<{ url: string; value: T }>();
  const [connected, setConnected] = useState(false);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!url) return;
    const source = new EventSource(url);
    source.onopen = () => {
      setConnected(true);
      setFailed(false);
    };
    source.onerror = () => {
      setConnected(false);
      setFailed(true);
    };
    source.addEventListener(event, (message: MessageEvent<string>) => {
      const parsed = schema.safeParse(JSON.parse(message.data));
      if (parsed.success) setData({ url, value: parsed.data });
    });
    return () => source.close();
  }, [url, event, schema]);
  return { data: data?.url === url ? data?.value : undefined, connected, failed };
}
