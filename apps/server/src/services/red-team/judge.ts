// Asks the model API what it thinks of a batch of attempts. What cannot be judged is an error of its own kind.
import { AppError } from "@mlsec/contracts";
import type { Clients } from "../../platform/http/clients.ts";
import { outcomeOf } from "./figures.ts";
import type { AttemptOutcome, PendingAttempt } from "./store.ts";

export interface Judged {
  readonly outcomes: readonly AttemptOutcome[];
  /** Of the first verdict; undefined when every attempt errored. */
  readonly model?: { readonly version: string; readonly threshold: number };
}
/** Worth another try: the model API is busy, starting or unreachable. */
const passing = new Set(["OVERLOADED", "UNAVAILABLE", "TIMEOUT", "UPSTREAM", "INTERNAL"]);
const firstPauseMs = 250;

/**
 * One batch. A refusal of the whole call (no such model) is thrown; a passing failure is tried `tries` times and then
 * becomes an error of each attempt. CONFLICT when the answer comes from another version than the test began with.
 */
export async function judge(
  api: Clients["model-api"],
  attempts: readonly PendingAttempt[],
  options: { model: string; version: string | undefined; tries: number; signal: AbortSignal },
): Promise<Judged> {
  const { model, version, signal } = options;
  const body = { texts: attempts.map(({ text }) => text), model_name: model, purpose: "test" as const };
  for (let round = 1; ; round++) {
    try {
      const answer = await api.predictBatch({ body, signal });
      return read(attempts, answer.results, version);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AppError) || !passing.has(error.code)) throw error;
      if (round >= options.tries) return { outcomes: attempts.map(({ ordinal }) => failed(ordinal, error)) };
      await pause(firstPauseMs * 2 ** (round - 1), signal);
    }
  }
}

type Results = Awaited<ReturnType<Clients["model-api"]["predictBatch"]>>["results"];

function read(attempts: readonly PendingAttempt[], results: Results, version: string | undefined): Judged {
  let model: Judged["model"];
  const outcomes = attempts.map((attempt, i): AttemptOutcome => {
    const result = results[i];
    const { ordinal } = attempt;
    if (!result) return failed(ordinal, { code: "UPSTREAM", message: "the model API left this text out" });
    if ("error" in result) return failed(ordinal, { code: result.error.code, message: result.error.detail });
    model ??= { version: result.model_version, threshold: result.threshold };
    const expected = version ?? model.version;
    if (result.model_version !== expected)
      throw new AppError(
        "CONFLICT",
        `the served version changed from ${expected} to ${result.model_version} during the test; start it again`,
      );
    const { prediction, confidence, is_attack } = result;
    return { ordinal, status: outcomeOf(attempt, is_attack), prediction, confidence };
  });
  return { outcomes, ...(model ? { model } : {}) };
}

const failed = (ordinal: number, { code, message }: { code: string; message: string }): AttemptOutcome => ({
  ordinal,
  status: "errored",
  error: `${code}: ${message}`,
});

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = (): void => reject(signal.reason);
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", stop, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
