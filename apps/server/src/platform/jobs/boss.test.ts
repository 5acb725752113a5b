import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { openTestDatabase } from "../../testing/system.ts";
import type { Database } from "../db/database.ts";
import { createLogger } from "../telemetry/log.ts";
import { createJobs, type JobRunner } from "./boss.ts";
import type { JobContext } from "./jobs.ts";

const Payload = z.strictObject({ id: z.string() });
let db: Database;
const open: JobRunner[] = [];
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(async () => {
  await Promise.all(open.map((jobs) => jobs.drain(1_000)));
  await db.close();
});

async function start(
  queue: string,
  run: (payload: { id: string }, context: JobContext) => Promise<unknown>,
  retryLimit = 5,
): Promise<JobRunner> {
  const jobs = createJobs({ db, log: createLogger({ level: "silent" }), isOnlyProcess: true });
  open.push(jobs);
  jobs.define(queue, { schema: Payload, expireInSeconds: 60, retryLimit, run });
  await jobs.open();
  await jobs.begin();
  return jobs;
}
const untilAborted = ({ signal }: JobContext) =>
  new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }),
  );

test("a job runs with its payload, tells its watchers, and is completed", async () => {
  const go = Promise.withResolvers<void>();
  const jobs = await start("tell", async ({ id }, context) => {
    await go.promise;
    context.progress({ id, step: 1 });
    context.progress({ id, step: 2 });
  });
  const id = (await jobs.send("tell", { id: "x" })) ?? "";
  const seen: unknown[] = [];
  const watching = (async () => {
    for await (const data of jobs.watch(id, AbortSignal.timeout(20_000))) seen.push(data);
  })();
  go.resolve();
  await watching;
  expect(seen).toEqual([
    { id: "x", step: 1 },
    { id: "x", step: 2 },
  ]);
  await expect.poll(async () => (await jobs.state("tell", id))?.state, { timeout: 10_000 }).toBe("completed");
  await expect(jobs.send("tell", { no: 1 })).rejects.toThrow();
});

test("higher priority first; one job per singleton key", async () => {
  const order: string[] = [];
  const jobs = createJobs({ db, log: createLogger({ level: "silent" }), isOnlyProcess: false });
  open.push(jobs);
  jobs.define("ordered", { schema: Payload, expireInSeconds: 60, run: async ({ id }) => void order.push(id) });
  await jobs.open();
  await jobs.send("ordered", { id: "low" });
  await jobs.send("ordered", { id: "high" }, { priority: 10 });
  expect(await jobs.send("ordered", { id: "once" }, { singletonKey: "k" })).toBeTypeOf("string");
  expect(await jobs.send("ordered", { id: "twice" }, { singletonKey: "k" })).toBeUndefined();
  await jobs.begin();
  await expect.poll(() => order, { timeout: 20_000 }).toEqual(["high", "low", "once"]);
});

test("a failed run is repeated, and a job that only fails is failed", async () => {
  const attempts: number[] = [];
  const jobs = await start(
    "failing",
    async (_, { attempt }) => {
      attempts.push(attempt);
      throw new Error("no");
    },
    2,
  );
  const id = (await jobs.send("failing", { id: "x" })) ?? "";
  await expect.poll(async () => (await jobs.state("failing", id))?.state, { timeout: 20_000 }).toBe("failed");
  expect(attempts).toEqual([0, 1, 2]);
});

test("cancel aborts a running job and keeps a waiting one from starting", async () => {
  const reasons: unknown[] = [];
  const jobs = await start("cancelled", async (_, context) => {
    context.signal.addEventListener("abort", () => reasons.push((context.signal.reason as { code?: string }).code));
    await untilAborted(context);
  });
  const first = (await jobs.send("cancelled", { id: "1" })) ?? "";
  await expect.poll(async () => (await jobs.state("cancelled", first))?.state, { timeout: 10_000 }).toBe("active");
  const second = (await jobs.send("cancelled", { id: "2" })) ?? "";
  expect([
    await jobs.cancel("cancelled", second),
    await jobs.cancel("cancelled", first),
    await jobs.cancel("cancelled", first),
  ]).toEqual([true, true, false]);
  expect((await jobs.state("cancelled", first))?.state).toBe("cancelled");
  expect((await jobs.state("cancelled", second))?.state).toBe("cancelled");
  expect(reasons).toEqual(["CANCELLED"]);
});

test("a job of a killed process is taken up by the next at once", async () => {
  const jobs = createJobs({ db, log: createLogger({ level: "silent" }), isOnlyProcess: false });
  open.push(jobs);
  await jobs.open();
  const id = (await jobs.send("killed", { id: "x" })) ?? "";
  // As a killed process leaves it: claimed, and nobody there.
  await db.query("update jobs.job set state = 'active', started_on = now(), heartbeat_on = now() where id = $1", [id]);
  const attempts: number[] = [];
  const next = await start("killed", async (_, { attempt }) => void attempts.push(attempt));
  await expect.poll(async () => (await next.state("killed", id))?.state, { timeout: 5_000 }).toBe("completed");
  expect(attempts).toEqual([1]);
});

test("a drain aborts what runs, and the next start goes on with it", async () => {
  const jobs = await start("drained", (_, context) => untilAborted(context));
  const id = (await jobs.send("drained", { id: "x" })) ?? "";
  await expect.poll(async () => (await jobs.state("drained", id))?.state, { timeout: 10_000 }).toBe("active");
  await jobs.drain(5_000);
  const next = await start("drained", async () => undefined);
  await expect.poll(async () => (await next.state("drained", id))?.state, { timeout: 10_000 }).toBe("completed");
});
