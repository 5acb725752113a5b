// One typed client per service: straight into the other's handler when it runs in this process, a real fetch when not.
import {
  AppError,
  type Client,
  createClient,
  type Fetch,
  type Principal,
  serviceNames,
  services,
  type ServiceName,
} from "@mlsec/contracts";

export type Clients = { readonly [N in ServiceName]: Client<(typeof services)[N]["contract"]> } & {
  /** A plain call of a service, for probes and the dashboard's proxy. In process it carries the principal, ours unless given. */
  readonly fetch: ServiceFetch;
};
export type ServiceFetch = (
  name: ServiceName,
  pathAndQuery: string,
  init?: RequestInit,
  principal?: Principal,
) => Promise<Response>;
/** A service's app as another service in the same process reaches it. */
export type InProcess = (request: Request, principal: Principal) => Promise<Response>;

interface Options {
  /** Who calls: shows in logs and audits as `service:<name>`. */
  readonly caller: string;
  readonly inProcess: (name: ServiceName) => InProcess | undefined;
  readonly address: (name: ServiceName) => string;
}

/** Clients are made on first use and look the other service up at each call, so the order of start does not matter. */
export function createClients({ caller, inProcess, address }: Options): Clients {
  const made = new Map<string, unknown>();
  const clients = {};
  for (const name of serviceNames) {
    Object.defineProperty(clients, name, {
      enumerable: true,
      get() {
        if (!made.has(name))
          made.set(name, createClient(services[name].contract, address(name), { fetch: seam(name) }));
        return made.get(name);
      },
    });
  }
  const reach: ServiceFetch = (name, pathAndQuery, init = {}, principal) => {
    const url = address(name).replace(/\/$/, "") + pathAndQuery;
    const app = inProcess(name);
    return app ? fetchInProcess(app, url, init, caller, principal) : fetch(url, init);
  };
  Object.defineProperty(clients, "fetch", { value: reach });
  const seam =
    (name: ServiceName): Fetch =>
    (url, init) => {
      const app = inProcess(name);
      return app ? fetchInProcess(app, url, init, caller) : fetch(url, init);
    };
  return Object.freeze(clients) as Clients;
}

/** Calls an app as `fetch` would: an abort rejects at once, whatever the handler does. */
export async function fetchInProcess(
  app: InProcess,
  url: string,
  init: RequestInit,
  caller: string,
  as?: Principal,
): Promise<Response> {
  const request = new Request(url, {
    ...init,
    ...(init.body instanceof ReadableStream ? { duplex: "half" } : {}),
  });
  const { signal } = request;
  signal.throwIfAborted();
  const principal: Principal = as ?? {
    id: `service:${caller}`,
    scopes: ["read", "predict", "train", "redteam", "admin"],
  };
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason ?? new AppError("CANCELLED", "the call was cancelled"));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([app(request, principal), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
