// Background work: what a service declares and how it is sent. pg-boss keeps the queue; the service keeps its own state.
import type * as z from "zod";

export interface JobContext {
  readonly jobId: string;
  /** 0 on the first run, one more after each crash or failure. */
  readonly attempt: number;
  /** Aborted when the job is cancelled, expires, or the process drains. `signal.reason` is an AppError: CANCELLED or UNAVAILABLE. */
  readonly signal: AbortSignal;
  /** Tells watchers in this process; nothing is stored. */
  progress(data: unknown): void;
}

export interface JobDefinition<S extends z.ZodType> {
  /** Ids only: the data lies in the service's own tables. */
  readonly schema: S;
  /** Jobs of this queue at once in this process; 1 unless told. */
  readonly concurrency?: number;
  /** Longer than the longest job. */
  readonly expireInSeconds: number;
  /** Runs after the first before the job has failed; 5 unless told. A run cut short by a drain or a crash counts. */
  readonly retryLimit?: number;
  readonly retryDelaySeconds?: number;
  run(payload: z.output<S>, context: JobContext): Promise<unknown>;
}

export interface SendOptions {
  /** Higher first. */
  readonly priority?: number;
  /** While a job with this key waits or runs, no second one is made and `send` answers undefined. */
  readonly singletonKey?: string;
  readonly startAfter?: Date;
}

export interface JobState {
  readonly id: string;
  readonly state: "created" | "retry" | "active" | "completed" | "cancelled" | "failed";
  readonly attempt: number;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly completedAt?: Date;
}

export interface Jobs {
  /** Declares a queue and, in `start`, its worker. Call it in the service's `create`; work begins once the system is up. */
  define<S extends z.ZodType>(queue: string, definition: JobDefinition<S>): void;
  /** The new job's id, or undefined when its singleton key is taken. */
  send(queue: string, payload: object, options?: SendOptions): Promise<string | undefined>;
  /** A waiting job never starts; a running one sees its signal abort. False when it had ended or never was. */
  cancel(queue: string, id: string): Promise<boolean>;
  state(queue: string, id: string): Promise<JobState | undefined>;
  /** What the job's `progress` says in this process, until it ends or the signal aborts. */
  watch(id: string, signal: AbortSignal): AsyncIterable<unknown>;
}
