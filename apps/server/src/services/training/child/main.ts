// A training job's own process. Its priority is set first: threads that ONNX Runtime makes later inherit it.
import os from "node:os";

os.setPriority(15);
// Without a parent nobody wants the result: it must not write over the job that the next system resumes.
const orphaned = (): never => process.exit(1);
process.once("disconnect", orphaned);
const cancelled = new AbortController();
process.on("message", (message) => {
  if (typeof message === "object" && message !== null && "type" in message && message.type === "cancel")
    cancelled.abort();
});

// Only now, so that nothing heavy was loaded at the parent's priority.
const { runJob } = await import("./run.ts");
let told: Promise<unknown> = Promise.resolve();
await runJob(process.argv[2] ?? "", cancelled.signal, (message) => {
  told = new Promise((resolve) => process.send?.(message, undefined, {}, resolve));
});
await told;
process.off("disconnect", orphaned);
process.disconnect?.();
