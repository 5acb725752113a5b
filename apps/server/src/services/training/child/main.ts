// A training job's own process. Its priority is set first: threads that ONNX Runtime makes later inherit it.
import os from "node:os";

os.setPriority(15);
// Without a parent nobody wants the result: it must not write over the job that the next system resumes.
process.once("disconnect", () => process.exit(1));
const cancelled = new AbortController();
process.on("message", (message) => {
  if (typeof message === "object" && message !== null && "type" in message && message.type === "cancel")
    cancelled.abort();
});

// Only now, so that nothing heavy was loaded at the parent's priority.
const { runJob } = await import("./run.ts");
await runJob(process.argv[2] ?? "", cancelled.signal, (message) => process.send?.(message));
process.disconnect?.();
