import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem({ services: ["data-privacy"] });
});
afterAll(() => system?.stop());

test("finds and redacts over the wire, in code points", async () => {
  const api = system.clients["data-privacy"];
  const text = "🙂 anna@example.org \0\ud800";
  expect(await api.find({ body: { text } })).toEqual({ findings: [{ kind: "email", start: 2, end: 18 }] });
  expect((await api.redact({ body: { text } })).text).toBe("🙂 [EMAIL] \0\ud800");
  expect((await api.kinds()).kinds.map(({ id }) => id)).toContain("iban");
  await expect(api.find({ body: { text, kinds: ["x"] } })).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

test("says which tables are kept and which of them hold text", async () => {
  const { tables } = await system.clients["data-privacy"].retention();
  const attempts = tables.find(({ table }) => table === "red_team_attempts");
  expect(attempts).toMatchObject({ keeps_text: true, rows_estimate: 0 });
  expect(tables.find(({ table }) => table === "red_team_results")?.keeps_text).toBe(false);
});
