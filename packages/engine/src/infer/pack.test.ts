import fc from "fast-check";
import { expect, test } from "vitest";
import { packRuns } from "./pack.ts";

test("every row is in exactly one run and runs keep to the budget", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 80 }),
      fc.integer({ min: 64, max: 4096 }),
      (lengths, maxTokens) => {
        const runs = packRuns(lengths, { maxTokens });
        expect(runs.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
        for (const run of runs) {
          const longest = Math.max(...run.map((i) => lengths[i] ?? 0));
          expect(lengths[run[0] ?? 0]).toBe(longest);
          if (run.length > 1) expect(run.length * longest).toBeLessThanOrEqual(maxTokens);
        }
      },
    ),
    { seed: 7, numRuns: 200 },
  );
});

test("short rows are not padded to a long one once a run is large enough", () => {
  const lengths = [...new Array(8).fill(128), ...new Array(32).fill(16)];
  expect(packRuns(lengths, { maxTokens: 4096 }).map((run) => run.length)).toEqual([8, 32]);
});
