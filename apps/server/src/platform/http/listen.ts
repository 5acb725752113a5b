// Puts an app on a port of this machine and takes it off again without cutting off an answer.
import http from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { AppError } from "@mlsec/contracts";
import { problemResponse } from "./problem.ts";
import type { App } from "./serve.ts";

export interface Listener {
  readonly port: number;
  /** No new requests; waits for running ones, then closes what is left. */
  drain(timeoutMs: number): Promise<void>;
}

/** `localhost` listens on 127.0.0.1 and, where the machine has it, ::1. Rejects with EADDRINUSE when either is taken. */
export async function listen(app: App, host: string, port: number): Promise<Listener> {
  const first = await bind(app, host === "localhost" ? "127.0.0.1" : host, port);
  const bound = (first.address() as AddressInfo).port;
  const servers = [first];
  if (host === "localhost") {
    try {
      servers.push(await bind(app, "::1", bound));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EADDRNOTAVAIL" && code !== "EAFNOSUPPORT") {
        first.close();
        throw error;
      }
    }
  }
  return {
    port: bound,
    drain: async (timeoutMs) => void (await Promise.all(servers.map((server) => drain(server, timeoutMs)))),
  };
}

async function bind(app: App, host: string, port: number): Promise<http.Server> {
  const handle = getRequestListener((request, env) => app.fetch(request, env), {
    overrideGlobalObjects: false,
    errorHandler: (error) => {
      const malformed = error instanceof Error && error.name === "RequestError";
      const shown = malformed
        ? new AppError("INVALID_INPUT", "the request line or its Host is malformed")
        : new AppError("INTERNAL", "something broke inside");
      return problemResponse(shown, crypto.randomUUID());
    },
  });
  const server = http.createServer(
    { keepAliveTimeout: 5_000, headersTimeout: 20_000, requestTimeout: 0, maxHeaderSize: 16_384 },
    (incoming, outgoing) => {
      if (!app.direct(incoming, outgoing)) void handle(incoming, outgoing);
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port, ipv6Only: host.includes(":") }, resolve);
  await promise;
  server.off("error", reject);
  return server;
}

async function drain(server: http.Server, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await promise;
  clearTimeout(timer);
}
