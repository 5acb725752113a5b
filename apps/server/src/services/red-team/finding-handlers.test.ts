// Findings over a real system: two detectors, a clock that the test moves, and texts whose answers are known.
import fs from "node:fs/promises";
import { AppError } from "@mlsec/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";
import { attackKey } from "./fingerprint.ts";
import { makeToyModels, toyAttack, toyBenign } from "../../testing/toy-models.ts";

const day = 86_400_000;
let models = "";
let system: TestSystem;
let now = Date.parse("2026-11-25T12:00:00Z");
const api = () => system.clients["red-team"];
const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "none",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
/** A benign text said to be an attack is missed; an attack said to be harmless is a false alarm. */
const wrongly = [
  { text: toyBenign, expected: "jailbreak" as const },
  { text: toyAttack, expected: "benign" as const },
];
const later = (until: number): string => new Date(now + until).toISOString();

beforeAll(async () => {
  models = await makeToyModels(["distilbert", "linear"]);
  system = await startTestSystem({
    services: ["model-api", "mlflow", "analytics", "red-team"],
    environment: { MLSEC_SHIPPED_MODELS: models, MLSEC_INFER_THREADS: "1", MLSEC_STORE_TEXT: "flagged" },
    clock: () => new Date(now),
  });
});
afterAll(async () => {
  await system?.stop();
  await fs.rm(models, { recursive: true, force: true });
});

test("a wrong answer is one finding however often it comes back, another model's is another", async () => {
  const first = await api().test({ body: { model_name: "distilbert", test_texts: wrongly } });
  const query = { test_id: first.test_id };
  const { findings, total } = await api().findings({ query });
  expect(total).toBe(2);
  const shown = findings.map(({ kind, severity, occurrences }) => `${kind} ${severity} ${occurrences}`);
  expect(shown.toSorted()).toEqual(["false_alarm medium 1", "missed medium 1"]);
  now += 1000;
  const spelled = { text: `${toyBenign.toUpperCase()}  !`, expected: "jailbreak" as const };
  const second = await api().test({
    body: { model_name: "distilbert", test_texts: [...wrongly, wrongly[0] ?? "", spelled] },
  });
  const again = (await api().findings({ query: { test_id: second.test_id, kind: "missed" } })).findings;
  expect(again).toMatchObject([{ finding_id: findings.find(({ kind }) => kind === "missed")?.finding_id }]);
  expect(again[0]?.occurrences).toBe(4);
  expect(again[0]?.first_seen).not.toBe(again[0]?.last_seen);
  const third = await api().test({ body: { model_name: "linear", test_texts: wrongly } });
  const others = await api().findings({ query: { test_id: third.test_id } });
  expect(others.findings.every(({ model_name }) => model_name === "linear")).toBe(true);
  expect(JSON.stringify(others)).not.toContain(toyAttack);
});

test("findings come severest first, filtered and in pages", async () => {
  await api().test({ body: { num_attacks: 60, mutators: ["none", "base64", "rot13+base64"], seed: 3, wait: true } });
  const all = (await api().findings({ query: { limit: 500 } })).findings;
  expect(all.length).toBeGreaterThan(4);
  const weights = all.map(({ severity_parts }) => severity_parts.weight);
  expect(weights).toEqual(weights.toSorted((a, b) => b - a));
  const seen: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query = { limit: 3, ...(cursor ? { cursor } : {}) };
    const page: Awaited<ReturnType<ReturnType<typeof api>["findings"]>> = await api().findings({ query });
    seen.push(...page.findings.map(({ finding_id }) => finding_id));
    cursor = page.next_cursor;
  }
  expect(seen).toEqual(all.map(({ finding_id }) => finding_id));
  const plain = (await api().findings({ query: { mutator: "none", kind: "missed", limit: 500 } })).findings;
  expect(plain.every(({ mutator, kind }) => mutator === null && kind === "missed")).toBe(true);
  expect(plain.length).toBeLessThan(all.length);
  expect(await codeOf(api().findings({ query: { test_id: "nothing" } }))).toBe("NOT_FOUND");
  expect(await codeOf(api().findings({ query: { cursor: "bm9uc2Vuc2U" } }))).toBe("INVALID_INPUT");
});

test("triage says who, when and why; a suppression ends by itself and reopens what was accepted", async () => {
  const [finding] = (await api().findings({ query: { model_name: "distilbert", kind: "missed", mutator: "none" } }))
    .findings;
  const params = { id: finding?.finding_id ?? "" };
  expect(await codeOf(api().triage({ params, body: { state: "accepted_risk" } }))).toBe("INVALID_INPUT");
  expect(await codeOf(api().triage({ params, body: {} }))).toBe("INVALID_INPUT");
  expect(await codeOf(api().triage({ params, body: { suppress: { reason: "late", until: later(-1) } } }))).toBe(
    "INVALID_INPUT",
  );
  const suppress = { reason: "until the next training", until: later(7 * day) };
  const body = { state: "accepted_risk" as const, note: "a filter stands before it", suppress };
  const decided = await api().triage({ params, body });
  expect(decided).toMatchObject({
    state: "accepted_risk",
    note: body.note,
    triaged_by: "service:test",
    suppression: { reason: suppress.reason },
  });
  expect(decided.history.map(({ event }) => event)).toEqual(["opened", "triaged", "suppressed"]);
  const ids = async (suppressed: "no" | "yes") =>
    (await api().findings({ query: { suppressed, limit: 500 } })).findings.map(({ finding_id }) => finding_id);
  expect(await ids("no")).not.toContain(params.id);
  expect(await ids("yes")).toEqual([params.id]);
  const before = await api().risk({ query: { model_name: "distilbert" } });
  now += 8 * day;
  const expired = await api().finding({ params });
  expect(expired).toMatchObject({ state: "open", suppression: null });
  expect(expired.history.at(-1)).toMatchObject({ event: "expired", by: "system", state: "open" });
  const after = await api().risk({ query: { model_name: "distilbert" } });
  expect(before.models[0]?.accepted_risk).toBeGreaterThan(0);
  expect(after.models[0]?.accepted_risk).toBe(0);
  expect(after.models[0]?.risk_score).toBeGreaterThan(before.models[0]?.risk_score ?? 100);
});

test("a replay sends the same text to the model as it is now", async () => {
  const list = (await api().findings({ query: { model_name: "distilbert", limit: 500 } })).findings;
  for (const { finding_id, kind } of [
    list.find(({ pattern }) => pattern === null),
    list.find(({ mutator }) => mutator !== null),
  ].map((one) => one ?? expect.fail())) {
    const { stands, replay, finding } = await api().replay({ params: { id: finding_id } });
    expect(stands).toBe(true);
    expect(replay.prediction === "benign").toBe(kind === "missed");
    expect(finding.last_replay).toEqual(replay);
  }
  expect(await codeOf(api().replay({ params: { id: "nothing" } }))).toBe("NOT_FOUND");
});

test("when the test is gone the text is drawn again; what cannot be drawn is said to be gone", async () => {
  const { findings } = await api().findings({ query: { model_name: "distilbert", limit: 500 } });
  const drawn =
    findings.find(({ mutator }) => mutator === "rot13+base64") ??
    findings.find(({ mutator }) => mutator === "base64") ??
    expect.fail();
  const given = findings.find(({ pattern }) => pattern === null) ?? expect.fail();
  const before = await api().finding({ params: { id: drawn.finding_id }, query: { text: "1" } });
  await system.db.query("delete from red_team_tests where id = any($1::uuid[])", [
    [drawn.last_test_id, given.last_test_id],
  ]);
  const after = await api().finding({ params: { id: drawn.finding_id }, query: { text: "1" } });
  expect(after.text).toBe(before.text);
  expect((await api().replay({ params: { id: drawn.finding_id } })).stands).toBe(true);
  expect(await codeOf(api().replay({ params: { id: given.finding_id } }))).toBe("CONFLICT");
  await system.db.query("update red_team_findings set campaign = jsonb_set(campaign, '{seed}', '99') where id = $1", [
    drawn.finding_id,
  ]);
  expect(await codeOf(api().replay({ params: { id: drawn.finding_id } }))).toBe("CONFLICT");
});

test("a later version that answers rightly fixes it; seen again, it reopens", async () => {
  const { test_id } = await api().test({ body: { model_name: "distilbert", test_texts: wrongly } });
  const [finding] = (await api().findings({ query: { test_id, kind: "missed" } })).findings;
  const params = { id: finding?.finding_id ?? "" };
  // As if the version before had answered another text wrongly: one that the served version answers rightly.
  const key = (text: string): string => attackKey({ text, pattern: null, mutator: null, benign: false });
  const isAbout = (text: string) =>
    system.db.query("update red_team_findings set attack_key = $2 where id = $1", [params.id, key(text)]);
  await system.db.query("update red_team_findings set versions = array['0'] where id = $1", [params.id]);
  await isAbout(toyAttack);
  await api().test({ body: { model_name: "distilbert", test_texts: [{ text: toyAttack, expected: "jailbreak" }] } });
  expect(await api().finding({ params })).toMatchObject({
    state: "fixed",
    fixed_version: "1",
    occurrences: finding?.occurrences,
  });
  await isAbout(toyBenign);
  await api().test({ body: { model_name: "distilbert", test_texts: wrongly } });
  const reopened = await api().finding({ params });
  expect(reopened).toMatchObject({ state: "open", fixed_version: null, versions: ["0", "1"] });
  expect(reopened.history.slice(-2).map(({ event }) => event)).toEqual(["fixed", "reopened"]);
});

test("two tests side by side; the matrix counts what the figures count", async () => {
  const body = { num_attacks: 24, mutators: ["none", "base64"], seed: 11, wait: true };
  const one = await api().test({ body });
  const two = await api().test({ body: { ...body, model_name: "linear" } });
  const compared = await api().compare({ params: { id: one.test_id, other: two.test_id } });
  expect(compared.shared).toBe(48);
  const { fixed, same, new: fresh } = compared;
  expect(fixed.count + same.count).toBe(one.vulnerabilities_found + one.false_alarms);
  expect(fresh.count + same.count).toBe(two.vulnerabilities_found + two.false_alarms);
  expect(compared.detection_difference?.value).toBeCloseTo((two.detection_rate ?? 0) - (one.detection_rate ?? 0), 9);
  const { cells } = await api().matrix({ params: { id: one.test_id } });
  const sum = (of: "attacks" | "detected" | "false_alarms") => cells.reduce((all, cell) => all + cell[of], 0);
  expect([sum("attacks"), sum("attacks") - sum("detected"), sum("false_alarms")]).toEqual([
    24,
    one.vulnerabilities_found,
    one.false_alarms,
  ]);
  expect(await codeOf(api().compare({ params: { id: one.test_id, other: "nothing" } }))).toBe("NOT_FOUND");
});

test("texts need the scope and a policy that keeps them", async () => {
  const { test_id } = await api().test({ body: { model_name: "distilbert", test_texts: wrongly } });
  const get = async (file: string): Promise<string> =>
    (await fetch(`${system.url("red-team")}/reports/${test_id}.${file}`)).text();
  for (const format of ["html", "json", "jsonl", "csv", "sarif", "junit.xml", "md"])
    expect(await get(format)).not.toContain(toyAttack);
  expect(await get("csv?text=1")).toContain(toyAttack);
  const [finding] = (await api().findings({ query: { test_id } })).findings;
  expect((await api().finding({ params: { id: finding?.finding_id ?? "" } })).text).toBeUndefined();
  const none = await startTestSystem({ services: ["red-team"], environment: { MLSEC_STORE_TEXT: "none" } });
  try {
    const call = none.clients["red-team"].report({ params: { file: `${test_id}.csv` }, query: { text: "1" } });
    expect(await codeOf(call)).toBe("FORBIDDEN");
  } finally {
    await none.stop();
  }
});
