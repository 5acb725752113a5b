// Near-duplicate groups without blocking this thread.
import { Worker } from "node:worker_threads";
import { AppError } from "@mlsec/contracts";

/** The group number of every text, in order. */
export function groupsOf(texts: readonly string[]): Promise<Int32Array> {
  if (texts.length === 0) return Promise.resolve(new Int32Array());
  const worker = new Worker(new URL("./groups-worker.ts", import.meta.url), { workerData: texts, execArgv: [] });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", (cause) =>
      reject(new AppError("INTERNAL", "near-duplicates could not be found", {}, { cause })),
    );
    worker.once("exit", () => reject(new AppError("INTERNAL", "the grouping thread ended early")));
  });
}
