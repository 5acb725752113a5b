import { expect, test } from "vitest";
import { createTracker, thinned } from "./progress.ts";
import type { JobRow } from "./store.ts";

const job = {
  losses: [],
  current_epoch: 0,
  step: 0,
  total_steps: 0,
  current_loss: null,
  best_metric: null,
} as unknown as JobRow;

test("the curve is thinned to 200 points, first and last among them", () => {
  const points = Array.from({ length: 1001 }, (_, i): [number, number] => [i + 1, i]);
  const thin = thinned(points);
  expect(thin).toHaveLength(200);
  expect([thin[0], thin.at(-1)]).toEqual([
    [1, 0],
    [1001, 1000],
  ]);
  expect(thinned(points.slice(0, 5))).toHaveLength(5);
});

test("a resumed run replaces the steps that it repeats", () => {
  const tracker = createTracker(
    {
      ...job,
      losses: [
        [1, 9],
        [2, 8],
        [3, 7],
      ],
    },
    () => new Date(0),
  );
  tracker.add({
    type: "progress",
    phase: "training",
    share: 0.3,
    step: 3,
    totalSteps: 10,
    losses: [
      [2, 6],
      [3, 5],
    ],
  });
  expect(tracker.current()).toMatchObject({
    losses: [
      [1, 9],
      [2, 6],
      [3, 5],
    ],
    current_loss: 5,
    step: 3,
  });
});

test("the end is estimated from the pace of training", () => {
  let now = 0;
  const tracker = createTracker(job, () => new Date(now));
  tracker.add({ type: "progress", phase: "training", share: 0 });
  expect(tracker.current().estimated_completion).toBeNull();
  now = 50_000;
  tracker.add({ type: "progress", phase: "training", share: 0.5 });
  const { progress, estimated_completion } = tracker.current();
  expect(progress).toBeCloseTo(39.5);
  expect(estimated_completion?.getTime()).toBeCloseTo(50_000 + (50_000 / 35.5) * 60.5, -1);
});
