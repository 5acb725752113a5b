// The short way from the socket to a handler, for JSON routes without parameters and bodies of a known length: no
// Request, no Response, no stream in between. It answers as the long way does; whatever is unusual is left to that.
import type { IncomingMessage, ServerResponse } from "node:http";
import { AppError, type Principal, type Reply } from "@mlsec/contracts";
import { describeError, levelOf } from "../telemetry/log.ts";
import { principalOf } from "./guard.ts";
import { type HeaderReader, headersOf, requestIdOf, securityHeaders } from "./headers.ts";
import type { AppOptions } from "./options.ts";
import { problemReply, publicError } from "./problem.ts";
import { type Call, jsonOf, respond } from "./respond.ts";
import type { Match, Router } from "./router.ts";

/** Answers the request, or leaves it untouched and says false. */
export type Direct = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

const plainHost = /^[\w.-]+(?::\d{1,5})?$/;
const noSearch = new URLSearchParams();

export function createDirect(router: Router, options: AppOptions): Direct {
  if (options.instance.raw) return () => false;
  return (incoming, outgoing) => {
    const { url = "", method = "" } = incoming;
    const mark = url.indexOf("?");
    const match = router.literal(method, mark < 0 ? url : url.slice(0, mark));
    if (!match || (match.route.kind ?? "json") !== "json") return false;
    const headers = headersOf(incoming.rawHeaders);
    if (!plainHost.test(headers.get("host") ?? "")) return false;
    const length = Number(headers.get("content-length") ?? (method === "GET" ? 0 : Number.NaN));
    if (headers.has("transfer-encoding") || !(length <= (match.route.maxBodyBytes ?? options.maxBodyBytes)))
      return false;
    const search = mark < 0 ? noSearch : new URLSearchParams(url.slice(mark));
    void answer(match, { incoming, outgoing, headers, search, length }, options);
    return true;
  };
}

interface Arrived {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly headers: HeaderReader;
  readonly search: URLSearchParams;
  readonly length: number;
}

async function answer(match: Match, arrived: Arrived, options: AppOptions): Promise<void> {
  const { incoming, outgoing, headers } = arrived;
  const began = performance.now();
  const requestId = requestIdOf(headers);
  let reply: Response | Reply<unknown>;
  try {
    const principal = principalOf({ remoteAddress: incoming.socket.remoteAddress, headers }, options.keyless);
    reply = await respond(match, callOf(arrived, requestId, principal), options);
  } catch (error) {
    const shown = publicError(error);
    options.log[levelOf(shown)]({ requestId, route: match.route.path, error: describeError(shown) }, "request failed");
    reply = problemReply(shown, requestId, options.problem?.(shown));
  }
  const status = reply.status;
  if (reply instanceof Response) reply.headers.forEach((value, name) => outgoing.setHeader(name, value));
  // A string leaves in one piece with its head.
  const text = reply instanceof Response ? Buffer.from(await reply.arrayBuffer()) : jsonOf(reply.body);
  const head: Record<string, string | number> = { ...securityHeaders, "x-request-id": requestId };
  if (status !== 204 && status !== 304) head["content-length"] = Buffer.byteLength(text);
  if (!(reply instanceof Response)) Object.assign(head, { "content-type": "application/json" }, reply.headers);
  // What is left of a body that nobody waited for must not be taken for the next request.
  if (!incoming.complete) {
    head["connection"] = "close";
    outgoing.once("finish", () => incoming.destroy());
  }
  outgoing.writeHead(status, head).end(status === 204 || status === 304 ? undefined : text);
  const seconds = (performance.now() - began) / 1000;
  options.metrics.request({ route: match.route.path, method: incoming.method ?? "", status }, seconds);
}

function callOf(
  { incoming, outgoing, headers, search, length }: Arrived,
  requestId: string,
  principal: Principal,
): Call {
  const deadline = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) deadline.abort(new AppError("CANCELLED", "the caller went away"));
  });
  return {
    method: incoming.method ?? "",
    search,
    headers,
    requestId,
    principal,
    gone: deadline.signal,
    deadline,
    bytes: () => bytesOf(incoming, length),
    request() {
      throw new AppError("INTERNAL", "a JSON route has no raw request");
    },
  };
}

function bytesOf(incoming: IncomingMessage, length: number): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  if (length === 0) resolve(new Uint8Array());
  const chunks: Uint8Array[] = [];
  incoming.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  incoming.once("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
  incoming.once("error", () => reject(new AppError("CANCELLED", "the caller went away")));
  return promise;
}
