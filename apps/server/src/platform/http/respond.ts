// From a matched route to its answer: parsed parts in, the handler within its deadline, the answer checked in tests.
import {
  AppError,
  type Principal,
  Reply,
  type RequestContext,
  type Route,
  type ServerEvent,
  successStatus,
} from "@mlsec/contracts";
import * as z from "zod";
import { describeError } from "../telemetry/log.ts";
import { parseJson } from "./body.ts";
import type { HeaderReader } from "./headers.ts";
import type { AppOptions } from "./options.ts";
import type { Match } from "./router.ts";
import { eventStream } from "./sse.ts";
import { queryObject, validate } from "./validate.ts";

/** A request, however it came. */
export interface Call {
  readonly method: string;
  readonly search: URLSearchParams;
  readonly headers: HeaderReader;
  readonly requestId: string;
  readonly principal: Principal;
  /** Aborted when the caller is gone; the deadline aborts it too where `deadline` is its own controller. */
  readonly gone: AbortSignal;
  readonly deadline: AbortController;
  /** The whole body, of at most so many bytes. */
  bytes(maxBytes: number): Promise<Uint8Array>;
  /** As the web has it, for uploads. */
  request(): Request;
}
type AnyHandler = (input: unknown) => Promise<unknown>;

/** What the handler gave: a Response of its own making, or a status, a body to be written as JSON, and headers. */
export async function respond(
  { name, route, params }: Match,
  call: Call,
  options: AppOptions,
): Promise<Response | Reply<unknown>> {
  const kind = route.kind ?? "json";
  const { requestId, principal } = call;
  const context: RequestContext = { requestId, principal, signal: signalOf(call, kind === "sse", options.draining) };
  const { requestTimeoutMs } = options;
  const input = {
    params: validate(route.params ?? noFields, params, "params"),
    query: validate(route.query ?? noFields, queryObject(call.search, route.query ?? noFields), "query"),
    body:
      kind === "upload"
        ? undefined
        : await withDeadline(bodyOf(route, call, options.maxBodyBytes), call, requestTimeoutMs),
    get request() {
      return call.request();
    },
    context,
  };
  const handler = (options.instance.handlers as Record<string, AnyHandler>)[name];
  if (!handler) throw new AppError("INTERNAL", `${options.name} has no handler ${name}`);
  if (kind === "sse") {
    const events = (await handler(input)) as AsyncIterable<ServerEvent>;
    return eventStream(events, context.signal, (error) =>
      options.log.warn({ route: route.path, error: describeError(error) }, "event stream failed"),
    );
  }
  const result = await withDeadline(handler(input), call, kind === "upload" ? undefined : requestTimeoutMs);
  if (result instanceof Response) return result;
  const reply = result instanceof Reply ? result : new Reply(successStatus(route), result);
  if (options.checkResponses) checkAnswer(route, reply.status, reply.body);
  return reply;
}

/** An answer as JSON text. */
export const jsonOf = (body: unknown): string => JSON.stringify(body) ?? "null";

const noFields = z.strictObject({});

function signalOf({ gone, deadline }: Call, isStream: boolean, draining: AbortSignal): AbortSignal {
  const signals = [...new Set([gone, deadline.signal, ...(isStream ? [draining] : [])])];
  return signals.length === 1 ? gone : AbortSignal.any(signals);
}

async function bodyOf(route: Route, call: Call, maxBytes: number): Promise<unknown> {
  if (call.method === "GET" || call.method === "HEAD") return undefined;
  const value = parseJson(await call.bytes(route.maxBodyBytes ?? maxBytes), call.headers);
  if (route.body) return validate(route.body, value, "body");
  if (value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0))
    return undefined;
  throw new AppError("INVALID_INPUT", `${route.method} ${route.path} takes no body`);
}

/** The handler's answer, or the caller's departure, or the deadline: whichever is first. */
async function withDeadline(
  work: Promise<unknown>,
  { gone: caller, deadline }: Call,
  limitMs: number | undefined,
): Promise<unknown> {
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const gone = (): void => reject(new AppError("CANCELLED", "the caller went away"));
  const late = (): void => {
    const error = new AppError("TIMEOUT", `no answer within ${(limitMs ?? 0) / 1000} s`);
    reject(error);
    deadline.abort(error);
  };
  const timer = limitMs === undefined ? undefined : setTimeout(late, limitMs);
  if (caller.aborted) gone();
  else caller.addEventListener("abort", gone, { once: true });
  // When the race is lost, the handler's own failure is nobody's business any more.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, cut]);
  } finally {
    clearTimeout(timer);
    caller.removeEventListener("abort", gone);
  }
}

function checkAnswer(route: Route, status: number, body: unknown): void {
  const schema = route.responses[status];
  if (!schema)
    throw new AppError(
      "INTERNAL",
      `${route.method} ${route.path} answered ${status}, which its contract does not declare`,
    );
  if (status === 204) return;
  const wire: unknown = JSON.parse(jsonOf(body));
  const parsed = schema.safeParse(wire);
  if (parsed.success) return;
  throw new AppError(
    "INTERNAL",
    `${route.method} ${route.path} answered against its contract: ${z.prettifyError(parsed.error)}`,
  );
}
