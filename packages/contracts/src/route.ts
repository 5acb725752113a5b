/** A route is data: the server, the typed client and the OpenAPI document are all derived from it. */
import type * as z from "zod";

/** What a key must be allowed to do before the route answers; `open` needs no key anywhere. */
export type Scope = "open" | "read" | "predict" | "train" | "redteam" | "admin";
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
/** json: parsed and validated both ways. sse: server-sent events. file: a raw answer. upload: a raw request body. */
export type Kind = "json" | "sse" | "file" | "upload";

/** One call of a service. `responses` maps a success status to the schema of its body. */
export interface Route {
  readonly method: Method;
  readonly path: `/${string}`;
  readonly summary: string;
  readonly description?: string;
  readonly scope: Scope;
  readonly kind?: Kind;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly responses: Readonly<Record<number, z.ZodType>>;
  /** Largest accepted body in bytes; the service's default when absent. */
  readonly maxBodyBytes?: number;
}
/** All calls of a service, by operation id. */
export type Contract = Readonly<Record<string, Route>>;

type Parsed<S> = S extends z.ZodType ? z.output<S> : Record<string, never>;
type Sent<S> = S extends z.ZodType ? z.input<S> : undefined;
type Success<R extends Route> = R["responses"][keyof R["responses"]];

/** One server-sent event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: unknown;
  readonly id?: string;
}
/** Who asks: `id` names the key or `loopback`, and what it may do. */
export interface Principal {
  readonly id: string;
  readonly scopes: readonly Scope[];
}
/** What a handler knows about the request besides its parsed parts. */
export interface RequestContext {
  readonly requestId: string;
  readonly principal: Principal;
  /** Aborted when the caller goes away or the deadline passes. */
  readonly signal: AbortSignal;
}
/** The parsed request. `request` is the raw one, for uploads. */
export interface RouteInput<R extends Route> {
  readonly params: Parsed<R["params"]>;
  readonly query: Parsed<R["query"]>;
  readonly body: Parsed<R["body"]>;
  readonly request: Request;
  readonly context: RequestContext;
}
/** An answer with another status than the lowest declared one, or with headers. */
export class Reply<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, body: T, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}
/** What a handler of this route returns. */
export type RouteOutput<R extends Route> = R["kind"] extends "sse"
  ? AsyncIterable<ServerEvent>
  : R["kind"] extends "file"
    ? Response
    : z.input<Success<R>> | Reply<z.input<Success<R>>>;

/** One function per route of the contract. */
export type Handlers<C extends Contract> = {
  readonly [K in keyof C]: (input: RouteInput<C[K]>) => Promise<RouteOutput<C[K]>>;
};

/** What a caller gives: params, query and body as far as the route declares them. */
export interface CallInput<R extends Route> {
  readonly params?: Sent<R["params"]>;
  readonly query?: Sent<R["query"]>;
  readonly body?: R["kind"] extends "upload" ? BodyInit | Uint8Array<ArrayBuffer> : Sent<R["body"]>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}
/** What a caller gets. */
export type CallOutput<R extends Route> = R["kind"] extends "sse"
  ? AsyncIterable<ServerEvent>
  : R["kind"] extends "file"
    ? Response
    : z.output<Success<R>>;

/**
 * Declares a route; only here for its types.
 * @example
 * const health = route({ method: "GET", path: "/health", summary: "Alive", scope: "open", responses: { 200: Health } });
 */
export const route = <const R extends Route>(declared: R): R => declared;

/** The status a plain return value is sent with: the lowest declared one. */
export const successStatus = (r: Route): number => Math.min(...Object.keys(r.responses).map(Number));
