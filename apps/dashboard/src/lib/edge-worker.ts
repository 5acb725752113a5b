/** Judges texts on the reader's own machine: ONNX Runtime as WebAssembly, in a thread of its own so that the page never waits. */
import bert from "@mlsec/engine/models/bert";
import deberta from "@mlsec/engine/models/deberta";
import distilbert from "@mlsec/engine/models/distilbert";
import roberta from "@mlsec/engine/models/roberta";
import { type Detector, EngineError, openDetector, type ReadFile } from "@mlsec/engine/web";
import * as runtime from "onnxruntime-web/wasm";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import type { EdgeAnswer, EdgeAsk } from "./edge.ts";

const architectures = [bert, deberta, distilbert, roberta];
const tell = (answer: EdgeAnswer): void => postMessage(answer);
let detector: Detector | undefined;

// The browser's own HTTP cache may refuse files of this size, so they are kept here, by checksum.
const storeName = "mlsec-detectors";
const used = new Set<string>();
const isFixed = (url: string): boolean => url.includes("?sha256=") || url.endsWith(".wasm");

// One thread: more of them need headers that would cut the page off from its own fonts and frames.
runtime.env.wasm.numThreads = 1;

addEventListener("message", ({ data }: MessageEvent<EdgeAsk>) => {
  const work = data.op === "open" ? open(data.address) : judge(data.text);
  work.then(tell, (error: unknown) => tell({ kind: "failed", message: messageOf(error) }));
});

async function open(address: string): Promise<EdgeAnswer> {
  const started = performance.now();
  const listed = new Map<string, number>();
  let done = 0;
  let cachedBytes = 0;
  const onCached = (bytes: number): void => void (cachedBytes += bytes);
  const onBytes = (bytes: number): void => {
    done += bytes;
    tell({
      kind: "progress",
      done,
      total: Math.max(
        done,
        [...listed.values()].reduce((sum, size) => sum + size, 0),
      ),
    });
  };
  const loadRuntime = async (): Promise<void> => {
    runtime.env.wasm.wasmBinary = (
      await download(wasm, { onBytes, onCached, onSize: (bytes) => listed.set(wasm, bytes) })
    ).buffer;
  };
  const read: ReadFile = async (name, entry) => {
    if (name === "config.json") await loadRuntime(); // a linear detector has none, and needs no runtime
    if (entry) listed.set(name, entry.bytes);
    return await download(`${address}/${name}${entry ? `?sha256=${entry.sha256}` : ""}`, {
      onBytes,
      onCached,
    });
  };
  try {
    detector = await openDetector(read, { runtime, architectures });
  } catch (error) {
    await globalThis.caches?.delete(storeName); // what was kept may be what is damaged
    throw error;
  }
  if (cachedBytes < done) await tidy(address);
  const { manifest, memoryBytes } = detector;
  const { kind, precision } = manifest;
  return {
    kind: "ready",
    about: { kind, precision, memoryBytes, bytes: done, cachedBytes, ms: performance.now() - started },
  };
}

async function judge(text: string): Promise<EdgeAnswer> {
  const started = performance.now();
  const [verdict] = (await detector?.verdicts([text])) ?? [];
  if (!verdict) return { kind: "failed", message: "No detector is open." };
  return { kind: "verdict", verdict, ms: performance.now() - started };
}

interface Listener {
  readonly onBytes: (bytes: number) => void;
  readonly onCached: (bytes: number) => void;
  readonly onSize?: (bytes: number) => void;
}

async function download(address: string, { onBytes, onCached, onSize }: Listener): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(address, location.href).href;
  const store = isFixed(url) ? await globalThis.caches?.open(storeName) : undefined;
  const known = await store?.match(url);
  used.add(url);
  if (known) {
    const bytes = new Uint8Array(await known.arrayBuffer());
    onBytes(bytes.length);
    onCached(bytes.length);
    return bytes;
  }
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Unreadable(await reasonOf(response));
  onSize?.(Number(response.headers.get("content-length") ?? 0));
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    onBytes(value.length);
  }
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  await store?.put(url, new Response(bytes)).catch(() => undefined); // a full disk is no reason to fail
  return bytes;
}

/** Forgets what another version of this detector, or of the runtime, left behind. */
async function tidy(address: string): Promise<void> {
  const store = await globalThis.caches?.open(storeName);
  for (const { url } of (await store?.keys()) ?? []) {
    if ((url.startsWith(`${address}/`) || url.endsWith(".wasm")) && !used.has(url)) await store?.delete(url);
  }
}

class Unreadable extends TypeError {}

async function reasonOf(response: Response): Promise<string> {
  const problem = (await response.json().catch(() => ({}))) as { detail?: unknown };
  return typeof problem.detail === "string" ? problem.detail : `The system answered ${response.status}.`;
}

function messageOf(error: unknown): string {
  if (error instanceof EngineError) return `${error.message}${error.details.where ? ` (${error.details.where})` : ""}`;
  if (error instanceof TypeError && !(error instanceof Unreadable))
    return "The files cannot be fetched. Is the system still running?";
  return error instanceof Error ? error.message : String(error);
}
