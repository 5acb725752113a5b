// The inference worker with a way to crash it, for the test of its restart.
import { parentPort } from "node:worker_threads";
import type { Ask } from "./protocol.ts";
import "./worker.ts";

parentPort?.on("message", (ask: Ask) => {
  if (ask.op === "verdicts" && ask.texts.includes("crash")) throw new TypeError("crashed on purpose");
});
