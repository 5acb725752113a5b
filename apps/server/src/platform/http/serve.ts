// One app per service, made from its contract: nothing is registered twice and nothing reaches a handler unchecked.
import { AppError, everyService, openapi, type Principal, type Ready } from "@mlsec/contracts";
import { type Context, Hono } from "hono";
import { describeError, levelOf } from "../telemetry/log.ts";
import { readBytes } from "./body.ts";
import { createDirect, type Direct } from "./direct.ts";
import { docsPage } from "./docs.ts";
import { principalOf } from "./guard.ts";
import { requestIdOf, securityHeaders } from "./headers.ts";
import type { AppOptions } from "./options.ts";
import { problemResponse, publicError } from "./problem.ts";
import { type Call, jsonOf, respond } from "./respond.ts";
import { createRouter, type Router } from "./router.ts";

/** How a request arrived: over a socket, or from a service in this process that says who it is. */
export interface Bindings {
  readonly incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } };
  readonly principal?: Principal;
}
export interface App {
  fetch(request: Request, bindings: Bindings): Promise<Response>;
  readonly direct: Direct;
}
type Env = { Bindings: Bindings; Variables: { requestId: string; routeLabel: string; principal: Principal } };

export function createApp(options: AppOptions): App {
  const app = new Hono<Env>({ strict: true });
  const router = createRouter(options.contract);
  app.use(async (c, next) => {
    const began = performance.now();
    c.set("requestId", requestIdOf(c.req.raw.headers));
    c.set("routeLabel", "unmatched");
    await next();
    c.res = finished(c.res, c.get("requestId"), c.req.method);
    const seconds = (performance.now() - began) / 1000;
    options.metrics.request({ route: c.get("routeLabel"), method: c.req.method, status: c.res.status }, seconds);
  });
  app.use(async (c, next) => {
    const { principal, incoming } = c.env;
    const caller = { remoteAddress: incoming?.socket.remoteAddress, headers: c.req.raw.headers };
    c.set("principal", principal ?? principalOf(caller, options.keyless));
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
  return { fetch: async (request, bindings) => app.fetch(request, bindings), direct: createDirect(router, options) };
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

async function answer(c: Context<Env>, router: Router, options: AppOptions): Promise<Response> {
  const request = c.req.raw;
  const { requestId, principal } = c.var;
  const raw = await options.instance.raw?.(request, { requestId, principal, signal: request.signal });
  if (raw) {
    c.set("routeLabel", "raw");
    return raw;
  }
  const url = new URL(request.url);
  const match = router.find(request.method, url.pathname);
  c.set("routeLabel", match.route.path);
  const call: Call = {
    method: request.method,
    search: url.searchParams,
    headers: request.headers,
    requestId,
    principal,
    gone: request.signal,
    deadline: new AbortController(),
    bytes: (maxBytes) => readBytes(request, maxBytes),
    request: () => request,
  };
  const reply = await respond(match, call, options);
  if (reply instanceof Response) return reply;
  const { status, body, headers } = reply;
  if (status === 204) return new Response(null, { status, headers });
  return new Response(jsonOf(body), { status, headers: { "content-type": "application/json", ...headers } });
}

/** The response with its request id and security headers; a handler's own header stays. HEAD loses its body. */
function finished(response: Response, requestId: string, method: string): Response {
  const headers = new Headers(response.headers);
  headers.set("x-request-id", requestId);
  for (const [name, value] of Object.entries(securityHeaders)) if (!headers.has(name)) headers.set(name, value);
  const bare = method === "HEAD" || response.status === 204 || response.status === 304;
  return new Response(bare ? null : response.body, { status: response.status, headers });
}
