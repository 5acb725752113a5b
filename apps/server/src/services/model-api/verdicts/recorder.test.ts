import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase, type Database } from "../../../platform/db/database.ts";
import { createLogger } from "../../../platform/telemetry/log.ts";
import { createMetrics } from "../../../platform/telemetry/metrics.ts";
import { openTestDatabase } from "../../../testing/system.ts";
import { createVerdictStore, type VerdictRow } from "../store.ts";
import { createRecorder } from "./recorder.ts";

let db: Database;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

const log = createLogger({ level: "silent" });
const row = (changes: Partial<VerdictRow> = {}): VerdictRow => ({
  id: crypto.randomUUID(),
  created_at: "2026-01-02T03:04:05.678Z",
  text_hash: "ab",
  text_chars: 2,
  model_name: "toy",
  requested_model: "toy",
  model_version: "1",
  label: "benign",
  confidence: 1,
  attack_probability: 0,
  threshold: 0.5,
  is_attack: false,
  probabilities: { "a\0\ud800": 1e-320 },
  from_cache: false,
  latency_ms: 1,
  ...changes,
});
const count = async (): Promise<number> => (await db.one<{ n: number }>("select count(*) as n from verdicts"))?.n ?? -1;

test("rows that the database refuses are dropped and do not hold up the next", async () => {
  const metrics = createMetrics("recorder");
  const recorder = createRecorder(createVerdictStore(db), log, metrics);
  recorder.add(row({ attack_probability: 1e-60 }));
  await recorder.flush();
  recorder.add(row());
  await recorder.flush();
  expect(await count()).toBe(1);
  expect((await metrics.text()).body).toMatch(/mlsec_verdicts_lost_total\S* 1/);
});

test("rows wait while the database is away and are written once", async () => {
  const before = await count();
  let isAway = true;
  const away = openDatabase({ ...db.connection, host: "/nowhere" });
  const [present, absent] = [createVerdictStore(db), createVerdictStore(away)];
  const store = { ...present, insert: (rows: readonly VerdictRow[]) => (isAway ? absent : present).insert(rows) };
  const recorder = createRecorder(store, log, createMetrics("away"));
  for (let i = 0; i < 2500; i++) recorder.add(row());
  await expect(recorder.flush()).rejects.toThrow();
  isAway = false;
  await recorder.stop();
  expect(await count()).toBe(before + 2500);
  await away.close();
});
