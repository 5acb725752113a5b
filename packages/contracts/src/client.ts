/** The typed client of a contract: the same code in the dashboard, the command line and between services. */
import { AppError, fromProblem, Problem } from "./error.ts";
import type { CallInput, CallOutput, Contract, Route, ServerEvent } from "./route.ts";

/** The part of `fetch` a client needs; a service in the same process gives its own handler. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
export interface ClientOptions {
  readonly fetch?: Fetch;
  readonly headers?: Readonly<Record<string, string>>;
}
/** One method per route. */
export type Client<C extends Contract> = {
  readonly [K in keyof C]: (input?: CallInput<C[K]>) => Promise<CallOutput<C[K]>>;
};
/** A call with its parts erased, as the generic code below sees it. */
interface AnyInput {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Makes the client of a contract.
 * @param contract the routes
 * @param base address of the service, such as `http://127.0.0.1:8000`
 * @returns one async method per route; failures are `AppError`s rebuilt from the problem document
 * @example
 * const api = createClient(modelApi, "http://127.0.0.1:8000");
 * const verdict = await api.predict({ body: { text: "hello" } });
 */
export function createClient<C extends Contract>(contract: C, base: string, options: ClientOptions = {}): Client<C> {
  const calls = Object.entries(contract).map(([name, r]) => [
    name,
    (input?: AnyInput) => call(r, base, input ?? {}, options),
  ]);
  return Object.fromEntries(calls) as Client<C>;
}

async function call(r: Route, base: string, input: AnyInput, options: ClientOptions): Promise<unknown> {
  const send: Fetch = options.fetch ?? ((url, init) => fetch(url, init));
  const url = base.replace(/\/$/, "") + fillPath(r.path, input.params ?? {}) + queryString(input.query ?? {});
  const response = await send(url, requestInit(r, input, options)).catch((cause: unknown) => {
    if (cause instanceof AppError) throw cause;
    if (input.signal?.aborted) throw new AppError("CANCELLED", "the call was cancelled", {}, { cause });
    throw new AppError("UNAVAILABLE", `nothing answers at ${base}`, { base }, { cause });
  });
  if (!response.ok) throw await problemOf(r, response);
  if (r.kind === "sse") return events(response);
  if (r.kind === "file") return response;
  const schema = r.responses[response.status] ?? Object.values(r.responses)[0];
  const parsed = schema?.safeParse(await response.json());
  if (!parsed?.success)
    throw new AppError("UPSTREAM", `${r.method} ${r.path} answered in another form than its contract`);
  return parsed.data;
}

function requestInit(r: Route, input: AnyInput, options: ClientOptions): RequestInit {
  const raw = r.kind === "upload";
  const hasBody = input.body !== undefined && r.method !== "GET";
  const headers: Record<string, string> = { ...options.headers, ...input.headers };
  if (hasBody && !raw) headers["content-type"] ??= "application/json";
  return {
    method: r.method,
    headers,
    ...(hasBody ? { body: raw ? (input.body as BodyInit) : JSON.stringify(input.body) } : {}),
    ...(input.signal ? { signal: input.signal } : {}),
  };
}

/** Fills `{name}` in a path; names may stand beside an extension, as in `/reports/{id}.{format}`. */
export const fillPath = (path: string, params: Readonly<Record<string, unknown>>): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name] ?? "")));

function queryString(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => [key, String(value)]);
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs).toString()}`;
}

async function problemOf(r: Route, response: Response): Promise<AppError> {
  const body: unknown = await response.json().catch(() => undefined);
  const problem = Problem.safeParse(body);
  if (problem.success) return fromProblem(problem.data);
  return new AppError("UPSTREAM", `${r.method} ${r.path} answered ${response.status} without a problem document`, {
    status: response.status,
  });
}

/** Reads server-sent events off a response until it ends. */
async function* events(response: Response): AsyncIterable<ServerEvent> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let buffer = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer += value;
      const blocks = buffer.split(/\r?\n\r?\n/);
      buffer = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/**
 * One block of an event stream.
 * @returns undefined for a comment or a block without data
 */
export function parseEvent(block: string): ServerEvent | undefined {
  let event = "message";
  let id: string | undefined;
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ""] = /^(\w+):? ?(.*)$/.exec(line) ?? [];
    if (field === "event") event = value;
    else if (field === "id") id = value;
    else if (field === "data") data.push(value);
  }
  if (data.length === 0) return undefined;
  return { event, data: JSON.parse(data.join("\n")) as unknown, ...(id === undefined ? {} : { id }) };
}
