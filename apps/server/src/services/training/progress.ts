// What a job's messages add up to: percent done, the loss curve, and when it will end.
import type { ChildMessage, Phase } from "./child/messages.ts";
import type { JobProgress, JobRow, LossPoint } from "./store.ts";

// Percent at which each phase begins and ends.
const spans: Readonly<Record<Phase | "finishing", readonly [number, number]>> = {
  preparing: [0, 4],
  training: [4, 75],
  evaluating: [75, 97],
  finishing: [97, 100],
};
const maxPoints = 200;
/** Before this share of a run is done its pace says little. */
const leastShare = 3;

export interface Tracker {
  add(message: ChildMessage): void;
  /** The child is done; its whole curve replaces what was heard of it. */
  finishing(curve: readonly number[]): void;
  current(): JobProgress;
}

/** Goes on from what the job row knows, so that a resumed job keeps its curve. */
export function createTracker(job: JobRow, clock: () => Date): Tracker {
  let losses: LossPoint[] = [...job.losses];
  let state: Omit<JobProgress, "losses" | "estimated_completion"> = {
    phase: "preparing",
    progress: 0,
    current_epoch: job.current_epoch,
    step: job.step,
    total_steps: job.total_steps,
    current_loss: job.current_loss,
    best_metric: job.best_metric,
    rows_per_second: null,
  };
  let pace: { at: number; progress: number } | undefined;
  const advance = (phase: Phase | "finishing", share: number): void => {
    const [from, to] = spans[phase];
    const progress = from + (to - from) * Math.min(1, Math.max(0, share));
    // The first message of training says where a resumed run starts: the pace counts from there.
    if (phase === "training" && state.phase !== "training") pace = { at: clock().getTime(), progress };
    state = { ...state, phase, progress };
  };
  return {
    add(message) {
      if (message.type === "metrics") {
        const f1 = message.metrics["eval_f1"] ?? null;
        state = { ...state, best_metric: f1 === null ? state.best_metric : Math.max(f1, state.best_metric ?? 0) };
      }
      if (message.type !== "progress") return;
      advance(message.phase, message.share);
      const points = message.losses ?? [];
      if (points.length > 0) losses = appended(losses, points);
      state = {
        ...state,
        step: message.step ?? state.step,
        total_steps: message.totalSteps ?? state.total_steps,
        current_epoch: message.epoch ?? state.current_epoch,
        rows_per_second: finite(message.rowsPerSecond) ?? state.rows_per_second,
        current_loss: losses.at(-1)?.[1] ?? null,
      };
    },
    finishing(curve) {
      advance("finishing", 0);
      losses = curve.map((loss, i) => [i + 1, loss]);
      state = { ...state, current_loss: curve.at(-1) ?? null };
    },
    current: () => ({ ...state, losses: thinned(losses), estimated_completion: estimate(pace, state.progress, clock) }),
  };
}

const finite = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isFinite(value) ? value : undefined;

/** A resumed run repeats the steps since its checkpoint: they replace what was known of them. */
function appended(losses: readonly LossPoint[], points: readonly (readonly [number, number])[]): LossPoint[] {
  const first = points[0]?.[0] ?? 0;
  const kept = (losses.at(-1)?.[0] ?? 0) < first ? losses : losses.filter(([step]) => step < first);
  return [...kept, ...points.map(([step, loss]): LossPoint => [step, loss])];
}

/** At most 200 points, the first and the last among them. */
export function thinned(losses: readonly LossPoint[]): LossPoint[] {
  if (losses.length <= maxPoints) return [...losses];
  const stride = (losses.length - 1) / (maxPoints - 1);
  return Array.from({ length: maxPoints }, (_, i) => losses[Math.round(i * stride)]).filter(
    (point) => point !== undefined,
  );
}

function estimate(
  pace: { at: number; progress: number } | undefined,
  progress: number,
  clock: () => Date,
): Date | null {
  if (!pace || progress - pace.progress < leastShare) return null;
  const now = clock().getTime();
  const perPercent = (now - pace.at) / (progress - pace.progress);
  return new Date(now + perPercent * (100 - progress));
}
