// Artifacts lie in the object store. `mlflow-artifacts:/a/b` is the key `mlflow/a/b` of our bucket, which clients without
// a store of their own read and write through this server's proxy paths.
import { AppError, type Handlers, type mlflow, type RequestContext, type Scope } from "@mlsec/contracts";
import { type ObjectStore, parseUri } from "../../platform/storage/object-store.ts";
import { findRun } from "./routes.ts";
import type { MlflowStore } from "./store.ts";

interface Place {
  readonly bucket: string;
  readonly key: string;
}
interface Parts {
  readonly storage: ObjectStore;
  readonly bucket: string;
}
interface FileInfo {
  path: string;
  is_dir: boolean;
  file_size?: number;
}
const proxyRoot = "/api/2.0/mlflow-artifacts/artifacts";

/** A path below an artifact root: no empty, `.` or `..` part, so it never leaves the root. */
function safePath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  const isSafe = parts.every((part) => part !== "." && part !== ".." && !part.includes("\\") && !part.includes("\0"));
  if (!isSafe) throw new AppError("INVALID_INPUT", "path: must stay below the artifact root");
  return parts.join("/");
}

function placeOf(uri: string, bucket: string): Place {
  const proxied = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.*)$/s.exec(uri)?.[1];
  return proxied === undefined ? parseUri(uri) : { bucket, key: `mlflow/${safePath(proxied)}` };
}

/** What lies directly below a key, by names relative to `root`. */
async function listBelow(storage: ObjectStore, { bucket, key }: Place, prefix: string): Promise<FileInfo[]> {
  const base = key === "" || key.endsWith("/") ? key : `${key}/`;
  const relative = (full: string): string => prefix + full.slice(base.length).replace(/\/$/, "");
  const files: FileInfo[] = [];
  let cursor: string | undefined;
  do {
    const page = await storage.list(bucket, {
      prefix: base,
      delimiter: "/",
      ...(cursor === undefined ? {} : { cursor }),
    });
    files.push(...page.prefixes.map((p) => ({ path: relative(p), is_dir: true })));
    files.push(...page.objects.map((o) => ({ path: relative(o.key), is_dir: false, file_size: o.size })));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

export const artifactHandlers = ({ storage, bucket, store }: Parts & { store: MlflowStore }) =>
  ({
    async listArtifacts({ query }) {
      const run = await findRun(store, query);
      const below = safePath(query.path ?? "");
      const root = placeOf(run.artifact_uri, bucket);
      const place = { bucket: root.bucket, key: below === "" ? root.key : `${root.key}/${below}` };
      return { root_uri: run.artifact_uri, files: await listBelow(storage, place, below === "" ? "" : `${below}/`) };
    },
  }) satisfies Partial<Handlers<typeof mlflow>>;

/** The proxy paths, whose last part has slashes of its own; undefined for any other path. */
export async function answerArtifacts(
  request: Request,
  context: RequestContext,
  parts: Parts,
): Promise<Response | undefined> {
  const url = new URL(request.url);
  if (url.pathname !== proxyRoot && !url.pathname.startsWith(`${proxyRoot}/`)) return undefined;
  const { storage, bucket } = parts;
  const path = safePath(decodeURIComponent(url.pathname.slice(proxyRoot.length)));
  const key = `mlflow/${path}`;
  const isRead = request.method === "GET" || request.method === "HEAD";
  requireScope(context, isRead ? "read" : "train");
  if (isRead && path === "") {
    const below = safePath(url.searchParams.get("path") ?? "");
    return Response.json({
      files: await listBelow(storage, { bucket, key: below === "" ? "mlflow" : `mlflow/${below}` }, ""),
    });
  }
  if (path === "") throw new AppError("INVALID_INPUT", "path: missing");
  if (isRead) {
    const object = await storage.get(bucket, key);
    return new Response(object.stream as BodyInit, {
      headers: { "content-type": object.contentType, "content-length": String(object.size) },
    });
  }
  if (request.method === "PUT") {
    await storage.put(bucket, key, request.body ?? new Uint8Array(), {
      contentType: request.headers.get("content-type") ?? "application/octet-stream",
      signal: context.signal,
    });
    return Response.json({});
  }
  if (request.method !== "DELETE")
    throw new AppError("METHOD_NOT_ALLOWED", `${proxyRoot} answers GET, PUT, DELETE`, {
      allow: "GET, HEAD, PUT, DELETE",
    });
  await storage.delete(bucket, key);
  return Response.json({});
}

function requireScope({ principal }: RequestContext, scope: Scope): void {
  if (!principal.scopes.includes(scope)) throw new AppError("FORBIDDEN", `needs the scope ${scope}`);
}
