/** A detector that runs in this page: a worker fetches its files from the running system and judges without it. */
import type { DetectorVerdict } from "@mlsec/engine/web";
import { address } from "./api.ts";

export type EdgeAsk =
  | { readonly op: "open"; readonly address: string }
  | { readonly op: "judge"; readonly text: string };

export type EdgeAnswer =
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "ready"; readonly about: EdgeAbout }
  | { readonly kind: "verdict"; readonly verdict: DetectorVerdict; readonly ms: number }
  | { readonly kind: "failed"; readonly message: string };

export interface EdgeAbout {
  readonly kind: string;
  readonly precision: string;
  readonly memoryBytes: number;
  /** Read in all, and of these from the browser's own cache. */
  readonly bytes: number;
  readonly cachedBytes: number;
  readonly ms: number;
}

export interface Edge {
  readonly about: EdgeAbout;
  /** One text at a time; milliseconds are the worker's own. */
  judge(text: string): Promise<{ readonly verdict: DetectorVerdict; readonly ms: number }>;
  close(): void;
}

/** The signal ends the worker, ready or not. */
export async function openEdge(
  model: string,
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<Edge> {
  const worker = new Worker(new URL("./edge-worker.ts", import.meta.url), { type: "module" });
  signal.addEventListener("abort", () => worker.terminate(), { once: true });
  let turn: Promise<unknown> = Promise.resolve();
  const ask = (message: EdgeAsk): Promise<EdgeAnswer> => {
    const answer = turn.then(() => answerOf(worker, message, onProgress));
    turn = answer.catch(() => undefined);
    return answer;
  };
  const opened = await ask({ op: "open", address: address("model-api", `/models/${encodeURIComponent(model)}/files`) });
  if (opened.kind !== "ready") throw new Error("The worker did not open the detector.");
  return {
    about: opened.about,
    async judge(text) {
      const answer = await ask({ op: "judge", text });
      if (answer.kind !== "verdict") throw new Error("The worker gave no verdict.");
      return answer;
    },
    close: () => worker.terminate(),
  };
}

function answerOf(
  worker: Worker,
  message: EdgeAsk,
  onProgress: (done: number, total: number) => void,
): Promise<EdgeAnswer> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<EdgeAnswer>) => {
      if (data.kind === "progress") onProgress(data.done, data.total);
      else if (data.kind === "failed") reject(new Error(data.message));
      else resolve(data);
    };
    worker.onerror = () => reject(new Error("The worker could not be started; the browser's console says why."));
    worker.postMessage(message);
  });
}
