// One app per service, made from its contract: nothing is registered twice and nothing reaches a handler unchecked.
import {
  AppError,
  type Contract,
  everyService,
  openapi,
  type Principal,
  type Ready,
  Reply,
  type RequestContext,
  type Route,
  type ServerEvent,
  successStatus,
} from "@mlsec/contracts";
import { type Context, Hono } from "hono";
import * as z from "zod";
import type { ServiceInstance } from "../service.ts";
import { describeError, levelOf, type Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { readJson } from "./body.ts";
import { docsPage } from "./docs.ts";
import { requireLocal } from "./guard.ts";
import { problemResponse, publicError } from "./problem.ts";
import { createRouter, type Match } from "./router.ts";
import { eventStream } from "./sse.ts";
import { queryObject, validate } from "./validate.ts";

/** How a request arrived: over a socket, or from a service in this process that says who it is. */
export interface Bindings {
  readonly incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } };
  readonly principal?: Principal;
}
export interface AppOptions {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  readonly contract: Contract;
  readonly instance: ServiceInstance;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: () => Date;
  /** See ServiceDefinition. */
  readonly problem?: (error: AppError) => Readonly<Record<string, unknown>>;
  /** Answers without a key wherever the request comes from. */
  readonly keyless: boolean;
  readonly maxBodyBytes: number;
  readonly requestTimeoutMs: number;
  /** Aborted when the process drains: event streams end. */
  readonly draining: AbortSignal;
  /** Tests: an answer that its contract does not allow is an error. */
  readonly checkResponses: boolean;
}
export interface App {
  fetch(request: Request, bindings: Bindings): Promise<Response>;
}
type Env = { Bindings: Bindings; Variables: { requestId: string; routeLabel: string; principal: Principal } };
type AnyHandler = (input: unknown) => Promise<unknown>;

const loopback: Principal = { id: "loopback", scopes: ["read", "predict", "train", "redteam", "admin"] };

export function createApp(options: AppOptions): App {
  const app = new Hono<Env>({ strict: true });
  const router = createRouter(options.contract);
  app.use(async (c, next) => {
    const began = performance.now();
    c.set("requestId", requestIdOf(c.req.raw));
    c.set("routeLabel", "unmatched");
    await next();
    c.res = finished(c.res, c.get("requestId"), c.req.method);
    const seconds = (performance.now() - began) / 1000;
    options.metrics.request({ route: c.get("routeLabel"), method: c.req.method, status: c.res.status }, seconds);
  });
  app.use(async (c, next) => {
    c.set("principal", principalOf(c, options));
    await next();
  });
  if (options.name !== "object-storage") fixedRoutes(app, options);
  app.all("*", (c) => answer(c, router, options));
  app.onError((error, c) => {
    const shown = publicError(error);
    options.log[levelOf(shown)](
      { requestId: c.get("requestId"), route: c.get("routeLabel"), error: describeError(shown) },
      "request failed",
    );
    return problemResponse(shown, c.get("requestId"), options.problem?.(shown));
  });
  return { fetch: async (request, bindings) => app.fetch(request, bindings) };
}

function principalOf(c: Context<Env>, options: AppOptions): Principal {
  if (c.env.principal) return c.env.principal;
  if (!options.keyless)
    requireLocal({ remoteAddress: c.env.incoming?.socket.remoteAddress, headers: c.req.raw.headers });
  return loopback;
}

/** What every service answers whatever its contract. */
function fixedRoutes(app: Hono<Env>, options: AppOptions): void {
  const { name, version, title, contract, metrics, clock } = options;
  const document = JSON.stringify(openapi({ title, version }, { ...contract, ...everyService }));
  const label = (c: Context<Env>, path: string): void => c.set("routeLabel", path);
  app.get("/health", (c) => {
    label(c, "/health");
    return c.json({ status: "ok", service: name, version, uptime_seconds: Math.round(process.uptime() * 10) / 10 });
  });
  app.get("/ready", async (c) => {
    label(c, "/ready");
    const state = await readiness(options);
    const body: Ready = { ...state, service: name, checked_at: clock().toISOString() };
    return c.json(body, body.ready ? 200 : 503);
  });
  app.get("/metrics", async (c) => {
    label(c, "/metrics");
    const { body, contentType } = await metrics.text();
    return c.body(body, 200, { "content-type": contentType });
  });
  app.get("/openapi.json", (c) => {
    label(c, "/openapi.json");
    return c.body(document, 200, { "content-type": "application/json" });
  });
  app.get("/docs", (c) => {
    label(c, "/docs");
    return docsPage({ title, version }, contract);
  });
  for (const path of ["/health", "/ready", "/metrics", "/openapi.json", "/docs"]) {
    app.all(path, (c) => {
      throw new AppError("METHOD_NOT_ALLOWED", `${path} answers GET, HEAD, not ${c.req.method}`, {
        allow: "GET, HEAD",
      });
    });
  }
}

async function readiness({ instance, log }: AppOptions): Promise<Pick<Ready, "ready" | "checks">> {
  try {
    return await instance.ready();
  } catch (error) {
    log.warn({ error: describeError(error) }, "readiness check failed");
    return { ready: false, checks: { service: { status: "down", detail: publicError(error).message } } };
  }
}

async function answer(
  c: Context<Env>,
  router: ReturnType<typeof createRouter>,
  options: AppOptions,
): Promise<Response> {
  const context = { requestId: c.get("requestId"), principal: c.get("principal"), signal: c.req.raw.signal };
  const raw = await options.instance.raw?.(c.req.raw, context);
  if (raw) {
    c.set("routeLabel", "raw");
    return raw;
  }
  const url = new URL(c.req.raw.url);
  const match = router.find(c.req.method, url.pathname);
  c.set("routeLabel", match.route.path);
  return respond(match, url, c, options);
}

async function respond(
  { name, route, params }: Match,
  url: URL,
  c: Context<Env>,
  options: AppOptions,
): Promise<Response> {
  const request = c.req.raw;
  const kind = route.kind ?? "json";
  const deadline = new AbortController();
  const signals = [request.signal, deadline.signal, ...(kind === "sse" ? [options.draining] : [])];
  const context: RequestContext = {
    requestId: c.get("requestId"),
    principal: c.get("principal"),
    signal: AbortSignal.any(signals),
  };
  const input = {
    params: validate(route.params ?? noFields, params, "params"),
    query: validate(route.query ?? noFields, queryObject(url.searchParams, route.query ?? noFields), "query"),
    body:
      kind === "upload"
        ? undefined
        : await withDeadline(
            bodyOf(route, request, options.maxBodyBytes),
            request.signal,
            deadline,
            options.requestTimeoutMs,
          ),
    request,
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
  const limitMs = kind === "upload" ? undefined : options.requestTimeoutMs;
  const result = await withDeadline(handler(input), request.signal, deadline, limitMs);
  return result instanceof Response ? result : jsonResponse(route, result, options.checkResponses);
}

const noFields = z.strictObject({});

async function bodyOf(route: Route, request: Request, maxBytes: number): Promise<unknown> {
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  const value = await readJson(request, route.maxBodyBytes ?? maxBytes);
  if (route.body) return validate(route.body, value, "body");
  if (value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0))
    return undefined;
  throw new AppError("INVALID_INPUT", `${route.method} ${route.path} takes no body`);
}

/** The handler's answer, or the caller's departure, or the deadline: whichever is first. */
async function withDeadline(
  work: Promise<unknown>,
  caller: AbortSignal,
  deadline: AbortController,
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

function jsonResponse(route: Route, result: unknown, check: boolean): Response {
  const { status, body, headers } = result instanceof Reply ? result : new Reply(successStatus(route), result);
  if (check) checkAnswer(route, status, body);
  if (status === 204) return new Response(null, { status, headers });
  return new Response(JSON.stringify(body) ?? "null", {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

function checkAnswer(route: Route, status: number, body: unknown): void {
  const schema = route.responses[status];
  if (!schema)
    throw new AppError(
      "INTERNAL",
      `${route.method} ${route.path} answered ${status}, which its contract does not declare`,
    );
  if (status === 204) return;
  const wire: unknown = JSON.parse(JSON.stringify(body) ?? "null");
  const parsed = schema.safeParse(wire);
  if (parsed.success) return;
  throw new AppError(
    "INTERNAL",
    `${route.method} ${route.path} answered against its contract: ${z.prettifyError(parsed.error)}`,
  );
}

function requestIdOf(request: Request): string {
  const given = request.headers.get("x-request-id");
  return given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID();
}

const securityHeaders: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
};

/** The response with its request id and security headers; a handler's own header stays. HEAD loses its body. */
function finished(response: Response, requestId: string, method: string): Response {
  const headers = new Headers(response.headers);
  headers.set("x-request-id", requestId);
  for (const [name, value] of Object.entries(securityHeaders)) if (!headers.has(name)) headers.set(name, value);
  const bare = method === "HEAD" || response.status === 204 || response.status === 304;
  return new Response(bare ? null : response.body, { status: response.status, headers });
}
