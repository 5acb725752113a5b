/** A local server that answers like the hub, and that can be told to misbehave. For tests only. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a repository of the server holds. */
export interface FakeRepository {
  readonly commit: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Names that are served by the second server, as large files are. */
  readonly large?: readonly string[];
  /** The token that may read it. */
  readonly token?: string;
}

/** One request as it came in. */
export interface SeenRequest {
  readonly server: "hub" | "cdn";
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  /** Bytes of body that were sent. */
  sent: number;
}

/** How the content of a file is sent, by call; undefined sends it as it is. */
export type Mood =
  | { readonly kind: "status"; readonly status: number; readonly headers?: Record<string, string> }
  | { readonly kind: "cut"; readonly after: number }
  | { readonly kind: "stall"; readonly after: number }
  | { readonly kind: "corrupt" }
  | { readonly kind: "slow"; readonly pauseMs: number }
  | { readonly kind: "etag"; readonly etag: string }
  | { readonly kind: "redirect"; readonly to: string }
  | { readonly kind: "headers"; readonly headers: Record<string, string> };

/** The running pair of servers. */
export interface HubServer {
  readonly endpoint: string;
  readonly cdn: string;
  readonly requests: SeenRequest[];
  readonly repositories: Map<string, FakeRepository>;
  /** Asked for every request before it is answered normally. */
  mood: (request: SeenRequest) => Mood | undefined;
  /** Leaves checksums and sizes out of the listing, as some mirrors do. */
  isTerse: boolean;
  close(): Promise<void>;
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
export const gitSum = (bytes: Uint8Array): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

/** Starts both servers on free ports of the loopback. */
export async function startHub(repositories: Readonly<Record<string, FakeRepository>>): Promise<HubServer> {
  const servers: Server[] = [];
  const listen = async (kind: "hub" | "cdn", answer: Answer): Promise<string> => {
    const server = createServer((request, response) => {
      const seen: SeenRequest = {
        server: kind,
        path: request.url ?? "",
        authorization: request.headers.authorization,
        range: request.headers.range,
        ifRange: request.headers["if-range"] as string | undefined,
        sent: 0,
      };
      hub.requests.push(seen);
      answer(hub, seen, request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const hub: HubServer & { endpoint: string; cdn: string } = {
    endpoint: "",
    cdn: "",
    requests: [],
    repositories: new Map(Object.entries(repositories)),
    mood: () => undefined,
    isTerse: false,
    async close() {
      await Promise.all(
        servers.map((server) => {
          server.closeAllConnections();
          return new Promise((resolve) => server.close(resolve));
        }),
      );
    },
  };
  hub.endpoint = await listen("hub", answerHub);
  hub.cdn = await listen("cdn", answerCdn);
  return hub;
}

type Answer = (hub: HubServer, seen: SeenRequest, request: IncomingMessage, response: ServerResponse) => void;

function answerHub(hub: HubServer, seen: SeenRequest, _request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(seen.path, hub.endpoint);
  const listed = /^\/api\/models\/(.+)\/revision\/([^/]+)$/.exec(pathname);
  const resolved = /^\/(.+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname);
  const repository = hub.repositories.get((listed ?? resolved)?.[1] ?? "");
  const mood = hub.mood(seen);
  if (mood?.kind === "status") return void response.writeHead(mood.status, mood.headers).end();
  if (mood?.kind === "redirect") return void response.writeHead(302, { location: mood.to }).end();
  if (!repository) return void response.writeHead(404, { "x-error-code": "RepoNotFound" }).end();
  if (repository.token !== undefined && seen.authorization !== `Bearer ${repository.token}`) {
    return void response.writeHead(401, { "x-error-code": "GatedRepo" }).end();
  }
  const revision = (listed ?? resolved)?.[2] ?? "";
  if (revision !== "main" && revision !== repository.commit) {
    return void response.writeHead(404, { "x-error-code": "RevisionNotFound" }).end();
  }
  if (listed) return void response.writeHead(200, { "content-type": "application/json" }).end(listing(hub, repository));
  const name = resolved?.[3] ?? "";
  const content = repository.files[name];
  if (!content) return void response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
  const own = { "x-repo-commit": repository.commit, ...(mood?.kind === "headers" ? mood.headers : {}) };
  if (!repository.large?.includes(name)) {
    return send(hub, seen, response, { content, etag: `"${gitSum(content)}"`, headers: own, mood });
  }
  const linked = { "x-linked-etag": `"${sha256(content)}"`, "x-linked-size": String(content.length) };
  const location = `${hub.cdn}/${sha256(content)}?signature=secret`;
  response.writeHead(302, { location, ...linked, ...own }).end();
}

function answerCdn(hub: HubServer, seen: SeenRequest, _request: IncomingMessage, response: ServerResponse): void {
  const wanted = new URL(seen.path, hub.cdn).pathname.slice(1);
  const all = [...hub.repositories.values()].flatMap(({ files }) => Object.values(files));
  const content = all.find((bytes) => sha256(bytes) === wanted);
  const mood = hub.mood(seen);
  if (mood?.kind === "status") return void response.writeHead(mood.status, mood.headers).end();
  if (mood?.kind === "redirect") return void response.writeHead(302, { location: mood.to }).end();
  if (!content) return void response.writeHead(404).end();
  const etag = mood?.kind === "etag" ? mood.etag : `"cdn-${wanted.slice(0, 8)}"`;
  send(hub, seen, response, { content, etag, headers: {}, mood });
}

interface Sending {
  readonly content: Uint8Array;
  readonly etag: string;
  readonly headers: Record<string, string>;
  readonly mood: Mood | undefined;
}

function send(
  _hub: HubServer,
  seen: SeenRequest,
  response: ServerResponse,
  { content, etag, headers, mood }: Sending,
): void {
  const asked = /^bytes=(\d+)-$/.exec(seen.range ?? "");
  const isRest = asked !== null && (seen.ifRange === undefined || seen.ifRange === etag);
  const from = isRest ? Number(asked[1]) : 0;
  if (isRest && from >= content.length) return void response.writeHead(416).end();
  const body = Uint8Array.from(content.subarray(from));
  const range = isRest ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {};
  response.writeHead(isRest ? 206 : 200, { etag, "content-length": String(body.length), ...range, ...headers });
  if (mood?.kind === "corrupt") body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
  if (mood?.kind === "slow") return void drip(seen, response, body, mood.pauseMs);
  const whole = mood?.kind === "cut" || mood?.kind === "stall" ? body.subarray(0, mood.after) : body;
  seen.sent = whole.length;
  if (mood?.kind === "stall") return void response.write(whole);
  if (mood?.kind === "cut") return void response.write(whole, () => response.socket?.end());
  response.end(whole);
}

async function drip(seen: SeenRequest, response: ServerResponse, body: Uint8Array, pauseMs: number): Promise<void> {
  const step = 64 * 1024;
  for (let at = 0; at < body.length && !response.destroyed; at += step) {
    response.write(body.subarray(at, at + step));
    seen.sent = Math.min(body.length, at + step);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  response.end();
}

function listing({ isTerse }: HubServer, { commit, files, large }: FakeRepository): string {
  const siblings = Object.entries(files).map(([rfilename, content]) => {
    if (isTerse) return { rfilename };
    const size = content.length;
    if (!large?.includes(rfilename)) return { rfilename, size, blobId: gitSum(content) };
    return { rfilename, size, blobId: "0".repeat(40), lfs: { sha256: sha256(content), size, pointerSize: 134 } };
  });
  return JSON.stringify({ id: "a/b", sha: commit, siblings });
}
