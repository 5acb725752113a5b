// The built dashboard as files: nothing outside its folder, nothing that runs but its own scripts.
import { createReadStream } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
};
/** Scripts and WebAssembly only from our own files; styles also inline, which charts need. */
export const pagePolicy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
// Vite puts a hash into the names of what it builds.
const hashedFile = /^\/assets\/.+-[\w-]{8,}\.\w+$/;

export interface DashboardFiles {
  isBuilt(): Promise<boolean>;
  /** The file of a path, the page for a path of the client's router, undefined for anything else. */
  answer(request: Request): Promise<Response | undefined>;
}

export function createFiles(folder: string): DashboardFiles {
  const page = path.join(folder, "index.html");
  const isBuilt = (): Promise<boolean> => isFile(page);
  return {
    isBuilt,
    async answer(request) {
      if (request.method !== "GET" && request.method !== "HEAD") return undefined;
      const { pathname } = new URL(request.url);
      const file = within(folder, pathname);
      if (file && (await isFile(file))) return fileResponse(file, request, hashedFile.test(pathname));
      const wantsPage = (request.headers.get("accept") ?? "").includes("text/html") && path.extname(pathname) === "";
      const isPage = wantsPage || pathname === "/";
      if (!isPage) return undefined;
      return (await isBuilt()) ? fileResponse(page, request, false) : notBuilt();
    },
  };
}

/** Undefined when the path leads out of the folder or cannot be one. */
function within(folder: string, pathname: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
  if (/[\0\\]/.test(decoded) || decoded.split("/").some((part) => part.startsWith("."))) return undefined;
  const file = path.join(folder, decoded);
  return file.startsWith(folder + path.sep) ? file : undefined;
}

const isFile = async (file: string): Promise<boolean> =>
  (await fs.stat(file).catch(() => undefined))?.isFile() ?? false;

async function fileResponse(file: string, request: Request, isImmutable: boolean): Promise<Response> {
  const { size, mtimeMs } = await fs.stat(file);
  const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  const headers = {
    "content-type": types[path.extname(file).toLowerCase()] ?? "application/octet-stream",
    "cache-control": isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
    "content-security-policy": pagePolicy,
    etag,
  };
  const known = (request.headers.get("if-none-match") ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes(etag)) return new Response(null, { status: 304, headers });
  const lengths = { ...headers, "content-length": String(size) };
  if (request.method === "HEAD") return new Response(null, { headers: lengths });
  const body = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>;
  return new Response(body, { headers: lengths });
}

function notBuilt(): Response {
  const text = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Dashboard not built</title>
<h1>The dashboard is not built</h1><p>Run <code>npm run build</code> in the project's folder and load this page again.
Every service answers without it: see <code>/docs</code> on each port.</p></html>`;
  return new Response(text, {
    status: 503,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": pagePolicy,
    },
  });
}
