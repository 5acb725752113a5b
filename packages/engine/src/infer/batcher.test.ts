import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { type BatchReport, createBatcher } from "./batcher.ts";

const row = (id: number, length: number): Int32Array => new Int32Array(length).fill(id);

test("callers that wait together share a run, and each gets its own answers in order", async () => {
  const reports: BatchReport[] = [];
  const batcher = createBatcher({
    run: async (rows) => rows.map((ids) => `${ids[0]}:${ids.length}`),
    onBatch: (report) => reports.push(report),
  });
  const [a, b] = await Promise.all([batcher.submit([row(1, 3), row(2, 9)]), batcher.submit([row(3, 5)])]);
  expect(a).toEqual(["1:3", "2:9"]);
  expect(b).toEqual(["3:5"]);
  expect(reports).toMatchObject([{ rows: 3, tokens: 17, paddedTokens: 27, queued: 0 }]);
  await batcher.close();
  await expect(batcher.submit([row(1, 1)])).rejects.toMatchObject({ code: "CANCELLED" });
});

test("a long text does not hold up a short one", async () => {
  const done: string[] = [];
  const runs: number[] = [];
  const batcher = createBatcher({
    maxTokens: 40,
    run: async (rows) => {
      runs.push(rows.length);
      return rows.map(() => 0);
    },
  });
  const long = batcher.submit(Array.from({ length: 20 }, () => row(1, 10))).then(() => done.push("long"));
  const short = batcher.submit([row(2, 10)]).then(() => done.push("short"));
  await Promise.all([long, short]);
  expect(done).toEqual(["short", "long"]);
  expect(Math.max(...runs)).toBeLessThanOrEqual(4);
});

test("a follow-up goes before everything that waits", async () => {
  const done: string[] = [];
  const batcher = createBatcher({ maxTokens: 20, run: async (rows) => rows.map(() => 0) });
  const first = Array.from({ length: 6 }, (_, i) => batcher.submit([row(i, 10)]).then(() => done.push(`first ${i}`)));
  const second = batcher.submit([row(9, 10), row(9, 10)], { isFollowUp: true }).then(() => done.push("follow-up"));
  await Promise.all([...first, second]);
  expect(done[0]).toBe("follow-up");
  expect(done).toHaveLength(7);
  await batcher.close();
});

test("a full queue refuses, an aborted caller leaves it, a failed run rejects only its callers", async () => {
  let failing = false;
  const batcher = createBatcher({
    maxTokens: 10,
    maxQueue: 5,
    run: async (rows) => {
      await turn();
      if (failing) throw new Error("run failed");
      return rows.map((ids) => ids.length);
    },
  });
  const abort = new AbortController();
  const first = batcher.submit([row(1, 10), row(1, 10), row(1, 10), row(1, 10)], { signal: abort.signal });
  await expect(batcher.submit([row(2, 1), row(2, 1)])).rejects.toMatchObject({ code: "OVERLOADED" });
  abort.abort();
  await expect(first).rejects.toMatchObject({ code: "CANCELLED" });
  expect(batcher.queued).toBe(0);
  expect(await batcher.submit([row(3, 4)])).toEqual([4]);
  failing = true;
  await expect(batcher.submit([row(4, 4)])).rejects.toThrow("run failed");
  failing = false;
  expect(await batcher.submit([row(5, 2)])).toEqual([2]);
  await expect(batcher.submit([row(6, 2)], { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: "CANCELLED",
  });
  expect(await batcher.submit([])).toEqual([]);
});
