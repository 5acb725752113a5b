// The main thread's side of the inference worker: calls with answers, cancelling, and one restart after a crash.
import { Worker } from "node:worker_threads";
import { AppError } from "@mlsec/contracts";
import type { BatchReport, DetectorVerdict, ExecutionProvider, TokenAttribution } from "@mlsec/engine";
import { inferenceError } from "./failure.ts";
import { type Front, openFront } from "./front.ts";
import type { Answer, Ask, Loaded, Source } from "./protocol.ts";

export interface Inference {
  /** Opens the detector in this folder under a key that no other open detector has. */
  load(key: string, source: Source): Promise<Loaded>;
  verdicts(key: string, texts: readonly string[], options?: AskOptions): Promise<readonly DetectorVerdict[]>;
  /** What the tokens of a text add to the log odds of an attack; CONFLICT for a detector without gradients. */
  attribute(key: string, text: string, signal?: AbortSignal): Promise<readonly TokenAttribution[]>;
  /** Frees the detector; verdicts under way are answered first by whoever counts them (the pool). */
  release(key: string): Promise<void>;
  /** Undefined while it works. */
  trouble(): string | undefined;
  /** Waits for the running batch, frees everything and lets the thread end. */
  close(): Promise<void>;
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** By the full detector, whatever the student of a cascade says. */
  readonly whole?: boolean;
  /** Short hits are narrowed too. */
  readonly explain?: boolean;
}

export interface InferenceOptions {
  readonly threads: number;
  /** Default cpu. */
  readonly provider?: ExecutionProvider;
  readonly clock: () => Date;
  readonly onBatch?: (report: BatchReport) => void;
  /** The worker died; `again` says whether another was started. */
  readonly onCrash: (error: unknown, again: boolean) => void;
  /** The file to run instead of the worker, in tests of crashes. */
  readonly entry?: URL;
}

interface Call {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: AppError) => void;
}
type Request<A = Ask> = A extends Ask ? Omit<A, "id"> : never;

// A second crash this soon is no accident: stay down, so that readiness says so.
const restartPauseMs = 60_000;

export function createInference(options: InferenceOptions): Inference {
  const { threads, provider = "cpu", clock, onBatch, onCrash, entry } = options;
  const calls = new Map<number, Call>();
  const sources = new Map<string, Source>();
  const fronts = new Map<string, Front>();
  let nextId = 1;
  let trouble: string | undefined;
  let restartedAt = Number.NEGATIVE_INFINITY;
  let closing: Promise<void> | undefined;
  let worker = spawn();

  function spawn(): Worker {
    const fresh = new Worker(entry ?? new URL("./worker.ts", import.meta.url), {
      name: "inference",
      workerData: { threads, provider },
      execArgv: [],
    });
    fresh.on("message", receive);
    fresh.once("error", crashed);
    return fresh;
  }

  function receive(answer: Answer): void {
    if ("batch" in answer) return onBatch?.(answer.batch);
    const call = calls.get(answer.id);
    calls.delete(answer.id);
    if (!call) return;
    if ("failure" in answer) call.reject(inferenceError(answer.failure));
    else call.resolve(answer.value);
  }

  function crashed(error: unknown): void {
    const lost = [...calls.values()];
    calls.clear();
    const again = closing === undefined && clock().getTime() - restartedAt > restartPauseMs;
    trouble = "the inference worker crashed";
    if (again) {
      restartedAt = clock().getTime();
      worker = spawn();
      trouble = undefined;
      for (const [key, source] of sources) reopen(key, source);
    }
    onCrash(error, again);
    for (const call of lost) call.reject(new AppError("UNAVAILABLE", "the inference worker stopped; try again"));
  }

  function reopen(key: string, source: Source): void {
    void ask({ op: "load", key, source }).catch((error: unknown) => {
      trouble = "a detector could not be opened again after a crash";
      onCrash(error, false);
    });
  }

  function ask<T>(request: Request, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(cancelled(signal));
    if (trouble !== undefined) return Promise.reject(new AppError("UNAVAILABLE", trouble));
    const id = nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    calls.set(id, { resolve: resolve as (value: unknown) => void, reject });
    worker.postMessage({ ...request, id } satisfies Ask);
    if (!signal) return promise;
    const onAbort = (): void => {
      if (!calls.delete(id)) return;
      worker.postMessage({ op: "cancel", id } satisfies Ask);
      reject(cancelled(signal));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", onAbort));
  }

  return {
    async load(key, source) {
      const loaded = await ask<Loaded>({ op: "load", key, source });
      sources.set(key, source);
      if (loaded.cascade === undefined) return loaded;
      const askFull: Parameters<typeof openFront>[2] = (texts, { signal, isBrief = false }) =>
        ask({ op: "verdicts", key, texts, whole: true, isBrief }, signal);
      const front = await openFront(source, loaded, askFull);
      if (front === undefined) return loaded;
      fronts.set(key, front);
      return { ...loaded, memoryBytes: loaded.memoryBytes + front.memoryBytes };
    },
    verdicts(key, texts, { signal, whole = false, explain = false } = {}) {
      const answer = whole ? undefined : fronts.get(key)?.verdicts(texts, { signal, isBrief: !explain });
      return answer ?? ask({ op: "verdicts", key, texts, whole, isBrief: !explain }, signal);
    },
    attribute: (key, text, signal) => ask({ op: "attribute", key, text }, signal),
    async release(key) {
      sources.delete(key);
      await fronts.get(key)?.release();
      fronts.delete(key);
      await ask({ op: "release", key });
    },
    trouble: () => trouble,
    close: () => (closing ??= end()),
  };

  async function end(): Promise<void> {
    if (trouble !== undefined) return;
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    worker.once("exit", () => resolve());
    await ask({ op: "close" }).catch(() => undefined);
    trouble = "the inference worker is closed";
    await ended;
  }
}

function cancelled(signal: AbortSignal): AppError {
  if (signal.reason instanceof AppError) return signal.reason;
  return new AppError("CANCELLED", "the caller went away", {}, { cause: signal.reason });
}
