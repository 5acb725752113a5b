import { expect, test } from "vitest";
import { createFeed } from "./feed.ts";

const feedOf = () => {
  let produced = 0;
  const feed = createFeed({ produce: async () => ++produced, intervalMs: 5, onError: () => undefined });
  return { feed, produced: () => produced };
};
const take = async (values: AsyncIterable<number>, count: number): Promise<number[]> => {
  const taken: number[] = [];
  for await (const value of values) if (taken.push(value) === count) break;
  return taken;
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("nothing is produced while nobody listens", async () => {
  const { feed, produced } = feedOf();
  await pause(20);
  expect(produced()).toBe(0);
  expect(await take(feed.listen(new AbortController().signal), 2)).toEqual([1, 2]);
  const before = produced();
  await pause(30);
  expect(produced() - before).toBeLessThanOrEqual(1);
  expect(feed.listeners).toBe(0);
});

test("many listeners share one producer, and one that leaves ends nobody else", async () => {
  const { feed, produced } = feedOf();
  const all = await Promise.all([1, 2, 3, 4].map((n) => take(feed.listen(new AbortController().signal), n)));
  expect(all).toEqual([[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]);
  expect(produced()).toBeLessThanOrEqual(5);
});

test("a slow listener skips to the newest value", async () => {
  const { feed, produced } = feedOf();
  const values = feed.listen(new AbortController().signal)[Symbol.asyncIterator]();
  expect((await values.next()).value).toBe(1);
  while (produced() < 5) await pause(5);
  expect((await values.next()).value).toBeGreaterThanOrEqual(4);
  await values.return?.();
});

test("an abort ends a listener that waits", async () => {
  const feed = createFeed({
    produce: () => new Promise<number>(() => undefined),
    intervalMs: 5,
    onError: () => undefined,
  });
  const controller = new AbortController();
  const waiting = take(feed.listen(controller.signal), 1);
  await pause(5);
  controller.abort();
  expect(await waiting).toEqual([]);
  expect(feed.listeners).toBe(0);
});

test("a production that failed is tried again", async () => {
  let tries = 0;
  const errors: unknown[] = [];
  const produce = async (): Promise<number> => {
    if (++tries < 3) throw new Error("not yet");
    return tries;
  };
  const feed = createFeed({ produce, intervalMs: 1, onError: (error) => errors.push(error) });
  expect(await take(feed.listen(new AbortController().signal), 1)).toEqual([3]);
  expect(errors.length).toBe(2);
});
