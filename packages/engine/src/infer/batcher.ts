/**
 * Continuous batching: callers hand in rows of tokens at any time, and every run takes what waits, fairly.
 * ONNX Runtime blocks its thread during a run, so between runs the event loop gets a turn to take new callers in.
 */
import { EngineError } from "../error.ts";
import { packRuns, runTokens } from "./pack.ts";
import { nextTurn } from "./turn.ts";

/** What one run cost, for metrics. Times in milliseconds. */
export interface BatchReport {
  readonly rows: number;
  readonly tokens: number;
  readonly paddedTokens: number;
  readonly runMs: number;
  /** Longest time a caller of this run waited before it. */
  readonly waitMs: number;
  /** Rows still waiting after this run was taken. */
  readonly queued: number;
}

/** Options of `createBatcher`. */
export interface BatcherOptions<Result> {
  /** Answers rows in their order; at most `maxTokens` tokens, padding included, except for a single longer row. */
  readonly run: (rows: readonly Int32Array[]) => Promise<readonly Result[]>;
  /** Tokens of one run, padding included. Default `runTokens`. */
  readonly maxTokens?: number;
  /** Rows that may wait. A caller beyond it is refused, unless nothing waits at all. Default 16,384. */
  readonly maxQueue?: number;
  readonly onBatch?: (report: BatchReport) => void;
  /** Milliseconds, rising. Injected in tests. */
  readonly now?: () => number;
}

/** Options of `submit`. */
export interface SubmitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Goes before everything that waits: the second run of an answer that has already waited for its first. */
  readonly isFollowUp?: boolean | undefined;
}

/** A queue in front of one session. */
export interface Batcher<Result> {
  /**
   * Results in the order of `rows`.
   * @throws EngineError OVERLOADED when too much waits, CANCELLED when `signal` aborts first or the batcher closed.
   */
  submit(rows: readonly Int32Array[], options?: SubmitOptions): Promise<Result[]>;
  /** Rows waiting now. */
  readonly queued: number;
  /** Refuses new rows, answers what waits, and returns when the last run has ended. */
  close(): Promise<void>;
}

/**
 * Makes a batcher. Callers take turns row by row, so a long text cannot hold up a short one.
 * @example
 * const batcher = createBatcher({ run: (rows) => session.run(rows), onBatch: (report) => console.log(report.rows) });
 * const [logits] = await batcher.submit([Int32Array.of(101, 7592, 102)]);
 */
export function createBatcher<Result>(options: BatcherOptions<Result>): Batcher<Result> {
  return new RowQueue(options);
}

interface Submission<Result> {
  readonly rows: readonly Int32Array[];
  readonly order: readonly number[]; // by length, longest first
  readonly results: Result[];
  readonly since: number;
  readonly isFollowUp: boolean;
  readonly resolve: (results: Result[]) => void;
  readonly reject: (error: unknown) => void;
  next: number; // place in `order` of the first row not yet taken
  open: number; // rows without a result
  settled: boolean;
}

interface Entry<Result> {
  readonly owner: Submission<Result>;
  readonly index: number;
  readonly row: Int32Array;
}

class RowQueue<Result> implements Batcher<Result> {
  readonly #options: BatcherOptions<Result>;
  readonly #maxTokens: number;
  readonly #now: () => number;
  #waiting: Submission<Result>[] = [];
  #queued = 0;
  #pumping: Promise<void> | undefined;
  #closed = false;

  constructor(options: BatcherOptions<Result>) {
    this.#options = options;
    this.#maxTokens = options.maxTokens ?? runTokens;
    this.#now = options.now ?? (() => performance.now());
  }

  get queued(): number {
    return this.#queued;
  }

  async submit(rows: readonly Int32Array[], options?: SubmitOptions): Promise<Result[]> {
    const signal = options?.signal;
    if (this.#closed) throw new EngineError("CANCELLED", "the batcher is closed");
    if (signal?.aborted) throw cancelled(signal);
    if (rows.length === 0) return [];
    const wanted = this.#queued + rows.length;
    const limit = this.#options.maxQueue ?? 16_384;
    if (this.#queued > 0 && wanted > limit) {
      throw new EngineError("OVERLOADED", "too many windows are waiting", { expected: limit, got: wanted });
    }
    const order = rows.map((_, i) => i).sort((a, b) => (rows[b]?.length ?? 0) - (rows[a]?.length ?? 0));
    let onAbort: () => void = () => undefined;
    try {
      return await new Promise<Result[]>((resolve, reject) => {
        const state = { next: 0, open: rows.length, settled: false };
        const submission = {
          rows,
          order,
          results: Array.from<Result>({ length: rows.length }),
          since: this.#now(),
          isFollowUp: options?.isFollowUp === true,
          resolve,
          reject,
          ...state,
        };
        this.#waiting.push(submission);
        this.#queued += rows.length;
        onAbort = () => this.#drop(submission, cancelled(signal));
        signal?.addEventListener("abort", onAbort, { once: true });
        this.#pumping ??= this.#pump();
      });
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    while (this.#pumping) await this.#pumping;
  }

  async #pump(): Promise<void> {
    for (;;) {
      await nextTurn();
      const entries = this.#take();
      if (entries.length === 0) break;
      const lengths = entries.map(({ row }) => row.length);
      for (const indices of packRuns(lengths, { maxTokens: this.#maxTokens })) {
        const live = indices.flatMap((i) => entries[i] ?? []).filter(({ owner }) => !owner.settled);
        if (live.length > 0) await this.#run(live);
      }
    }
    this.#pumping = undefined;
  }

  /** One row from each caller in turn, follow-ups before the others, until a run's worth of tokens is taken. */
  #take(): Entry<Result>[] {
    const taken: Entry<Result>[] = [];
    let tokens = 0;
    while (this.#waiting.length > 0 && tokens < this.#maxTokens) {
      const urgent = this.#waiting.filter(({ isFollowUp }) => isFollowUp);
      for (const owner of urgent.length > 0 ? urgent : this.#waiting) {
        const index = owner.order[owner.next] ?? 0;
        const row = owner.rows[index] ?? new Int32Array();
        owner.next++;
        tokens += row.length;
        taken.push({ owner, index, row });
        if (tokens >= this.#maxTokens) break;
      }
      this.#waiting = this.#waiting.filter((owner) => owner.next < owner.rows.length);
    }
    this.#queued -= taken.length;
    return taken;
  }

  async #run(entries: readonly Entry<Result>[]): Promise<void> {
    const started = this.#now();
    let results: readonly Result[];
    try {
      results = await this.#options.run(entries.map(({ row }) => row));
    } catch (error) {
      for (const { owner } of entries) this.#drop(owner, error);
      return;
    }
    this.#options.onBatch?.(this.#report(entries, started));
    for (const [i, { owner, index }] of entries.entries()) {
      owner.results[index] = results[i] as Result;
      owner.open--;
      if (owner.open > 0 || owner.settled) continue;
      owner.settled = true;
      owner.resolve(owner.results);
    }
  }

  #drop(submission: Submission<Result>, error: unknown): void {
    if (submission.settled) return;
    submission.settled = true;
    this.#queued -= submission.rows.length - submission.next;
    this.#waiting = this.#waiting.filter((other) => other !== submission);
    submission.reject(error);
  }

  #report(entries: readonly Entry<Result>[], started: number): BatchReport {
    const tokens = entries.reduce((sum, { row }) => sum + row.length, 0);
    const longest = entries.reduce((most, { row }) => Math.max(most, row.length), 0);
    const since = entries.reduce((first, { owner }) => Math.min(first, owner.since), started);
    const times = { runMs: this.#now() - started, waitMs: started - since };
    return { rows: entries.length, tokens, paddedTokens: longest * entries.length, ...times, queued: this.#queued };
  }
}

function cancelled(signal: AbortSignal | undefined): EngineError {
  return new EngineError("CANCELLED", "the caller aborted", {}, { cause: signal?.reason });
}
