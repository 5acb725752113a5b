// `/api/<service>/…` of the dashboard's own origin, so that a browser needs no CORS. The browser was checked at our own
// door; the call goes on as the same principal, with only the headers that calls are made of.
import { AppError, type RequestContext, type ServiceName, services } from "@mlsec/contracts";
import type { Clients } from "../../platform/http/clients.ts";

const sent =
  /^(accept|accept-language|authorization|cache-control|content-digest|content-type|if-[a-z-]+|last-event-id|range|x-amz-[a-z\d-]+|x-request-id)$/;
/** Headers of one connection, and those that no longer fit a body which fetch has decoded. */
const dropped = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** The service's answer, streamed; undefined when the path is not `/api/<service>/…`. */
export async function proxy(
  clients: Clients,
  request: Request,
  context: RequestContext,
): Promise<Response | undefined> {
  const { pathname, search } = new URL(request.url);
  const [, name = "", rest = ""] = /^\/api\/([a-z-]+)(\/.*)$/s.exec(pathname) ?? [];
  if (!isService(name)) return undefined;
  if (name === "monitoring" && /^\/api\/(?!(live|picture)$)/.test(rest))
    throw new AppError("ROUTE_NOT_FOUND", "the dashboard is not its own client");
  const headers = new Headers([...request.headers].filter(([header]) => sent.test(header)));
  headers.set("x-request-id", context.requestId);
  const init = {
    method: request.method,
    headers,
    signal: request.signal,
    redirect: "manual",
    ...(request.body ? { body: request.body, duplex: "half" } : {}),
  } satisfies RequestInit & { duplex?: string };
  try {
    return passOn(await clients.fetch(name, rest + search, init, context.principal));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    if (request.signal.aborted) throw new AppError("CANCELLED", "the caller went away");
    throw new AppError("UNAVAILABLE", `${services[name].title} does not answer`, { service: name }, { cause });
  }
}

const isService = (name: string): name is ServiceName => Object.hasOwn(services, name);

function passOn(response: Response): Response {
  const headers = new Headers(response.headers);
  if (headers.has("content-encoding")) for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  for (const name of dropped) headers.delete(name);
  const bare = [101, 204, 205, 304].includes(response.status);
  return new Response(bare ? null : response.body, { status: response.status, headers });
}
