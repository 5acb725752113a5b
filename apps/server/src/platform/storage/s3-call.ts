// One signed call to an S3 server: path style, SigV4, with time limits and a second and third try. node:http instead of fetch,
// because fetch unpacks what is stored compressed and cannot send a stream with its length.
import http from "node:http";
import https from "node:https";
import { type Readable, pipeline } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { AppError } from "@mlsec/contracts";
import { AwsV4Signer } from "aws4fetch";
import { refusal } from "./s3-answer.ts";

export interface S3Settings {
  /** `http://host:port`; without a path. */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** How long the server may say nothing; 30 s unless told. */
  readonly timeoutMs?: number;
}
export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "DELETE";
  /** Empty: the server itself. */
  readonly bucket?: string;
  /** Empty: the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly size: number; readonly sha256: string; open(): Readable };
  readonly signal?: AbortSignal;
}
export interface S3Answer {
  readonly status: number;
  header(name: string): string | undefined;
  /** Names of all headers, in lower case. */
  names(): readonly string[];
  /** The content; must be read or destroyed. */
  readonly stream: AsyncIterable<Uint8Array> & { destroy(): void };
  /** All of a short content. */
  text(): Promise<string>;
}
export type S3Caller = (request: S3Request) => Promise<S3Answer>;

const region = "us-east-1";
const mostRetries = 2;
const mostXmlBytes = 16 * 2 ** 20;
const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

interface Line {
  readonly settings: S3Settings;
  readonly timeoutMs: number;
  readonly agent: http.Agent;
  readonly signingKeys: Map<string, ArrayBuffer>;
}

/** Anything but 2xx is an AppError (s3-answer.ts); no network is UNAVAILABLE, silence is TIMEOUT. Every call can be repeated. */
export function createCaller(settings: S3Settings): S3Caller {
  const agent = new (settings.endpoint.startsWith("https:") ? https : http).Agent({ keepAlive: true });
  const line: Line = { settings, agent, timeoutMs: settings.timeoutMs ?? 30_000, signingKeys: new Map() };
  return async (request) => {
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = answerOf(await exchange(request, line), line);
        if (answer.status >= 200 && answer.status < 300) return answer;
        throw await refused(answer, request, settings.endpoint);
      } catch (error) {
        const mayPass = error instanceof AppError && error.code === "UNAVAILABLE";
        if (attempt >= mostRetries || !mayPass || request.signal?.aborted === true) throw error;
        await wait(200 * 2 ** attempt);
      }
    }
  };
}

/** AWS's percent-encoding: everything but unreserved characters. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** `/bucket/key`, encoded. Addresses lose `.` and `..` between slashes, so such keys get their slashes encoded too. */
export function pathOf(bucket: string, key: string): string {
  const parts = key.split("/");
  if (key === "." || key === "..")
    throw new AppError("INVALID_INPUT", `the key ${JSON.stringify(key)} cannot be named in an address of an S3 server`);
  const hasDots = parts.some((part) => part === "." || part === "..");
  return `/${bucket}${key === "" ? "" : `/${parts.map(encode).join(hasDots ? "%2F" : "/")}`}`;
}

async function exchange(request: S3Request, line: Line): Promise<http.IncomingMessage> {
  const { endpoint, accessKey: accessKeyId, secretKey: secretAccessKey } = line.settings;
  const { method, bucket = "", key = "", query = {}, body, signal } = request;
  const search = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  const url = new URL(`${endpoint}${pathOf(bucket, key)}${search.length > 0 ? `?${search.join("&")}` : ""}`);
  const signer = new AwsV4Signer({
    method,
    url: url.href,
    headers: { ...request.headers, "x-amz-content-sha256": body?.sha256 ?? emptySha256 },
    ...{ accessKeyId, secretAccessKey, service: "s3", region, cache: line.signingKeys },
  });
  const headers = {
    ...Object.fromEntries((await signer.sign()).headers),
    ...(method === "PUT" ? { "content-length": String(body?.size ?? 0) } : {}),
  };
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const { request: open } = url.protocol === "https:" ? https : http;
  const options = { method, headers, agent: line.agent, timeout: line.timeoutMs, ...(signal ? { signal } : {}) };
  const outgoing = open(url, options, (incoming) => {
    outgoing.setTimeout(0);
    resolve(incoming);
  });
  outgoing.on("timeout", () => outgoing.destroy(silence(line)));
  outgoing.on("error", (error) => reject(signal?.aborted === true ? signal.reason : networkError(error, line)));
  if (body) {
    const source = body.open();
    // A file that cannot be read is no trouble of the network.
    source.once("error", reject);
    pipeline(source, outgoing, () => undefined);
  } else outgoing.end();
  return promise;
}

const silence = ({ settings, timeoutMs }: Line): AppError =>
  new AppError("TIMEOUT", `the S3 server at ${settings.endpoint} said nothing for ${timeoutMs / 1000} s`);

function networkError(cause: unknown, { settings }: Line): AppError {
  if (cause instanceof AppError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  return new AppError(
    "UNAVAILABLE",
    `the S3 server at ${settings.endpoint} cannot be reached (${code ?? message})`,
    {},
    { cause },
  );
}

function answerOf(incoming: http.IncomingMessage, line: Line): S3Answer {
  const stream = Object.assign(guarded(incoming, line), { destroy: () => void incoming.destroy() });
  return {
    status: incoming.statusCode ?? 0,
    header: (name) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    names: () => Object.keys(incoming.headers),
    stream,
    async text() {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of stream) {
        size += chunk.byteLength;
        if (size > mostXmlBytes)
          throw new AppError(
            "UPSTREAM",
            `the S3 server at ${line.settings.endpoint} sent more than ${mostXmlBytes} bytes`,
          );
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString("utf8");
    },
  };
}

/** Silence counts only while somebody waits for bytes: a slow reader is not the server's fault. */
async function* guarded(incoming: http.IncomingMessage, line: Line): AsyncGenerator<Uint8Array> {
  const watch = () => setTimeout(() => incoming.destroy(silence(line)), line.timeoutMs);
  let timer = watch();
  try {
    for await (const chunk of incoming) {
      clearTimeout(timer);
      yield chunk as Uint8Array;
      timer = watch();
    }
  } catch (error) {
    throw networkError(error, line);
  } finally {
    clearTimeout(timer);
  }
}

async function refused(answer: S3Answer, { bucket = "", key = "" }: S3Request, endpoint: string): Promise<AppError> {
  const { status } = answer;
  const size = /\/(\d+)$/.exec(answer.header("content-range") ?? "")?.[1];
  const body = await answer.text();
  return refusal({ endpoint, status, body, bucket, key, ...(size === undefined ? {} : { size: Number(size) }) });
}
