// Starts a job's child process and waits for it. The child dies with us (its IPC channel closes) and when it is cancelled.
import { fork } from "node:child_process";
import { childEnvironment } from "../../platform/config/environment.ts";
import type { ChildMessage, ParentMessage } from "./child/messages.ts";

export type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly code: string; readonly detail: string; readonly isFinal: boolean }
  /** It was told to stop, and did. */
  | { readonly kind: "stopped" };

/** A child that does not stop by itself within this time is killed; its checkpoint is whole at any moment. */
const stopWithinMs = 1_500;
const entry = new URL("./child/main.ts", import.meta.url);

/** Runs the job in a folder to its end. Resolves when the process is gone. */
export function runChild(
  folder: string,
  signal: AbortSignal,
  onMessage: (message: ChildMessage) => void,
): Promise<Outcome> {
  const child = fork(entry, [folder], {
    execArgv: [],
    env: childEnvironment(),
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let outcome: Outcome | undefined;
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000);
  });
  child.on("message", (value) => {
    const message = value as ChildMessage;
    if (message.type === "done") outcome = { kind: "done" };
    else if (message.type === "failed") outcome = { ...message, kind: "failed" };
    else onMessage(message);
  });
  let killing: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (child.connected) child.send({ type: "cancel" } satisfies ParentMessage, () => undefined);
    killing = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const ended = (how: string): void => {
    clearTimeout(killing);
    signal.removeEventListener("abort", stop);
    if (outcome?.kind === "done") resolve(outcome);
    else if (signal.aborted) resolve({ kind: "stopped" });
    else
      resolve(
        outcome ?? {
          kind: "failed",
          code: "INTERNAL",
          detail: `the training process ended early (${how})${lastLine(complaint)}`,
          isFinal: false,
        },
      );
  };
  child.once("error", (error) => ended(error.message));
  child.once("close", (code, killedBy) => ended(killedBy ?? `code ${code}`));
  return promise;
}

const lastLine = (complaint: string): string => {
  const line = complaint.split("\n").findLast((l) => /error/i.test(l));
  return line === undefined ? "" : `: ${line.trim().slice(0, 300)}`;
};
