/** HTTP to a hub: redirects followed by hand so that the token stays with the hub, stalls noticed, retries bounded. */
import { setTimeout as delay } from "node:timers/promises";
import { EngineError } from "../error.ts";

/** How a hub is reached. */
export interface HubAccess {
  /** Address of the hub, such as `https://huggingface.co`. */
  readonly endpoint: string;
  /** Sent to that address only, never to where it redirects. */
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Silence after which an attempt is given up, in milliseconds. Default 30,000. */
  readonly stallTimeoutMs?: number | undefined;
  /** Attempts after the first that may bring nothing. Default 5. */
  readonly retries?: number | undefined;
  /** First pause between attempts in milliseconds; doubled each time, at most a minute. Default 500. */
  readonly backoffMs?: number | undefined;
}

/** Trouble that another attempt may not have. */
export class Trouble extends EngineError {
  /** How long the server asked us to wait. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, where: string, { got, retryAfterMs, cause }: TroubleFacts = {}) {
    super("UNREACHABLE", message, { where, got }, cause === undefined ? {} : { cause });
    this.retryAfterMs = retryAfterMs;
  }
}
interface TroubleFacts {
  readonly got?: unknown;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** An answer whose body is still to be read. */
export interface HubAnswer {
  /** Of the hub itself: it names checksums and commit, and may redirect. */
  readonly hub: Headers;
  /** Of the server that holds the body. */
  readonly status: number;
  readonly headers: Headers;
  /** The body; a stall between two chunks is a Trouble. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Drops the body and frees the connection. */
  close(): void;
}

const MAX_REDIRECTS = 5;
const MAX_PAUSE_MS = 60_000;
const LONGEST_RETRY_AFTER_MS = 300_000;
const MAX_ATTEMPTS = 1_000;

/**
 * One GET. Answers of 2xx and 416 are returned, everything else is an error.
 * @throws EngineError UNREACHABLE (a Trouble where another attempt may help), CANCELLED when the signal aborts.
 * @example
 * const answer = await get("https://huggingface.co/api/models/gpt2/revision/main", {}, { endpoint: "https://huggingface.co" });
 */
export async function get(
  url: string,
  headers: Readonly<Record<string, string>>,
  access: HubAccess,
): Promise<HubAnswer> {
  const watch = createWatch(access);
  const hubOrigin = new URL(access.endpoint).origin;
  let isTrusted = true;
  let hub: Headers | undefined;
  let target = new URL(url);
  try {
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      isTrusted &&= target.origin === hubOrigin; // once it left the hub, the token does not come back
      const credentials = isTrusted && access.token !== undefined ? { authorization: `Bearer ${access.token}` } : {};
      const response = await fetch(target, {
        redirect: "manual",
        headers: { "user-agent": "mlsec", "accept-encoding": "identity", ...headers, ...credentials },
        signal: watch.signal,
      });
      watch.touch();
      hub ??= response.headers;
      if (target.origin === hubOrigin && response.headers.has("x-repo-commit")) hub = response.headers;
      const location = response.headers.get("location");
      if (response.status >= 300 && response.status < 400 && location !== null) {
        await response.body?.cancel();
        target = redirected(target, location, hubOrigin);
        continue;
      }
      if (!response.ok && response.status !== 416) throw await refusalOf(response, target);
      return answerOf(response, { hub, watch, where: shown(target), access });
    }
    throw new EngineError("UNREACHABLE", "too many redirects", { where: shown(target) });
  } catch (error) {
    watch.stop();
    throw failureOf(error, { watch, where: shown(target), access });
  }
}

/**
 * Repeats what ends in a Trouble: with growing pauses, or those the server asks for.
 * @param hasProgressed asked after each failure; progress starts the count anew
 * @throws EngineError the last one.
 * @example
 * await retrying(() => get(url, {}, access), access);
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  access: HubAccess,
  hasProgressed: () => boolean = () => false,
): Promise<T> {
  const { retries = 5, backoffMs = 500, signal } = access;
  for (let failures = 0, attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      failures = hasProgressed() ? 1 : failures + 1;
      if (!(error instanceof Trouble) || failures > retries || attempts >= MAX_ATTEMPTS) throw error;
      const asked = error.retryAfterMs ?? 0;
      if (asked > LONGEST_RETRY_AFTER_MS) throw error;
      const pause = Math.min(MAX_PAUSE_MS, backoffMs * 2 ** (failures - 1));
      await delay(Math.max(asked, pause), undefined, signal ? { signal } : {}).catch(() => undefined);
      if (signal?.aborted) throw cancelled();
    }
  }
}

/**
 * The error of a caller who went away.
 * @example
 * throw cancelled();
 */
export const cancelled = (): EngineError => new EngineError("CANCELLED", "download cancelled");

/** An abort signal that fires after silence, or when the caller's does. */
interface Watch {
  readonly signal: AbortSignal;
  readonly hasStalled: () => boolean;
  touch(): void;
  stop(): void;
}

function createWatch({ signal, stallTimeoutMs = 30_000 }: HubAccess): Watch {
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(), stallTimeoutMs);
  return {
    signal: signal ? AbortSignal.any([signal, stall.signal]) : stall.signal,
    hasStalled: () => stall.signal.aborted,
    touch: () => void timer.refresh(),
    stop: () => clearTimeout(timer),
  };
}

interface Reading {
  readonly watch: Watch;
  readonly where: string;
  readonly access: HubAccess;
}

function answerOf(response: Response, { hub, watch, where, access }: Reading & { readonly hub: Headers }): HubAnswer {
  return {
    hub,
    status: response.status,
    headers: response.headers,
    async *chunks() {
      try {
        for await (const chunk of response.body ?? []) {
          watch.touch();
          yield chunk;
          watch.touch(); // writing it took time that the server is not to blame for
        }
      } catch (error) {
        throw failureOf(error, { watch, where, access });
      } finally {
        watch.stop();
      }
    },
    close() {
      watch.stop();
      response.body?.cancel().catch(() => undefined);
    },
  };
}

function failureOf(error: unknown, { watch, where, access }: Reading): EngineError {
  if (access.signal?.aborted) return cancelled();
  if (watch.hasStalled()) return new Trouble("the server fell silent", where);
  if (error instanceof EngineError) return error;
  const { cause } = error instanceof Error ? error : { cause: undefined };
  const { code } = (cause ?? {}) as { code?: unknown };
  return new Trouble("the server cannot be reached, or broke off", where, { got: code, cause: error });
}

/** Where a redirect leads; refused when it gives up encryption, or leads from a public hub to a private address. */
function redirected(from: URL, location: string, hubOrigin: string): URL {
  const to = URL.canParse(location, from) ? new URL(location, from) : undefined;
  const isHttp = to?.protocol === "https:" || (to?.protocol === "http:" && from.protocol === "http:");
  if (!to || !isHttp || (isPrivate(to.hostname) && !isPrivate(new URL(hubOrigin).hostname))) {
    throw new EngineError("UNREACHABLE", "the hub redirects to an address that is refused", {
      where: shown(from),
      got: to?.host,
    });
  }
  return to;
}

/** Loopback, link-local and private addresses, and names without a dot, which only a local network resolves. */
function isPrivate(host: string): boolean {
  if (
    /^(?:127|10|0)\.|^192\.168\.|^169\.254\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(
      host,
    )
  )
    return true;
  if (host.startsWith("[")) return /^\[(?:::|f[cd]|fe[89ab])/i.test(host);
  return !host.includes(".") || /\.(?:local|internal|localhost)$/i.test(host);
}

async function refusalOf(response: Response, url: URL): Promise<EngineError> {
  await response.body?.cancel();
  const { status, headers } = response;
  const where = shown(url);
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const message = status === 429 ? "the hub asks to wait" : "the hub has trouble of its own";
    return new Trouble(message, where, { got: status, retryAfterMs: retryAfter(headers.get("retry-after")) });
  }
  const kind = headers.get("x-error-code");
  const isGated = kind === "GatedRepo" || ((status === 401 || status === 403) && kind !== "RepoNotFound");
  if (isGated) {
    const message = "the hub asks for a token: the repository is private or gated, or the token may not read it";
    return new EngineError("UNREACHABLE", message, { where, got: status });
  }
  if (status === 404 || status === 401) {
    return new EngineError("UNREACHABLE", "the hub has no such repository, revision or file", { where, got: status });
  }
  return new EngineError("UNREACHABLE", "the hub refuses", { where, got: status });
}

function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

/** An address without its query: signed addresses of a CDN hold secrets there. */
const shown = (url: URL): string => `${url.origin}${url.pathname}`.slice(0, 300);
