import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { DataSet } from "@mlsec/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../../testing/system.ts";
import { toJsonl, toyRows, toySettings } from "../testing.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-upload-"));
let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem({ services: ["training", "mlflow"], environment: await toySettings(folder) });
});
afterAll(async () => {
  await system.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});
const api = () => system.clients.training;
const send = async (body: BodyInit, headers: Record<string, string> = {}, query = "") => {
  const response = await fetch(`${system.url("training")}/data/upload${query}`, { method: "POST", body, headers });
  return { status: response.status, body: (await response.json()) as DataSet & { code: string } };
};
const jsonl = { "content-type": "application/x-ndjson" };

test("raw JSONL: stored, hashed, checked, listed, looked at, archived", async () => {
  const text = toJsonl(toyRows(60, 11));
  const sha256 = createHash("sha256").update(text).digest("hex");
  const { status, body } = await send(
    text,
    { ...jsonl, "content-digest": `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:` },
    "?name=mine",
  );
  expect(status).toBe(201);
  expect(body).toMatchObject({
    name: "mine",
    state: "fresh",
    rows: 60,
    sha256,
    duplicate_of: null,
    quality: { passed: true },
  });
  expect(body.quality.by_label).toMatchObject({ benign: 30 });
  const again = await send(text, jsonl);
  expect(again.body).toMatchObject({ state: "validated", duplicate_of: body.file_id });
  const { data } = await api().listData({});
  expect(data.map((d) => d.file_id)).toEqual([again.body.file_id, body.file_id]);
  const { rows } = await api().previewData({ params: { id: body.file_id }, query: { limit: 2 } });
  expect(rows).toEqual(toyRows(60, 11).slice(0, 2));
  expect(await api().deleteData({ params: { id: body.file_id } })).toMatchObject({ state: "archived" });
  const asked = api().train({ body: { model_name: "linear", training_data_path: `dataset:${body.file_id}` } });
  await expect(asked).rejects.toMatchObject({ code: "CONFLICT" });
});

test("a multipart file, CSV, and rows", async () => {
  const form = new FormData();
  form.append("note", "x");
  form.append("file", new Blob([toJsonl(toyRows(40, 12))]), "set.jsonl");
  expect((await send(form)).body).toMatchObject({ name: "set.jsonl", rows: 40, quality: { passed: true } });
  const csv = `text,label\n"a, ""quoted""\ntext",benign\n${toyRows(40, 13)
    .map((r) => `${r.text},${r.label}`)
    .join("\n")}\n`;
  const stored = await send(csv, { "content-type": "text/csv" });
  expect(stored.body).toMatchObject({ rows: 41, quality: { passed: true } });
  const { rows } = await api().previewData({ params: { id: stored.body.file_id }, query: { limit: 1 } });
  expect(rows).toEqual([{ text: 'a, "quoted"\ntext', label: "benign" }]);
  const inline = await send(JSON.stringify({ rows: toyRows(40, 14) }), { "content-type": "application/json" });
  expect(inline.body).toMatchObject({ rows: 40, quality: { passed: true } });
  expect((await send(new FormData())).status).toBe(400);
  expect((await send("x", { "content-type": "image/png" })).body.code).toBe("MEDIA_TYPE");
});

test("what fails its checks is kept, said, and not trained on", async () => {
  const bad = `${toJsonl(toyRows(4, 15))}nonsense\n${toJsonl([{ text: "a", label: "evil" }])}`;
  const { status, body } = await send(bad, jsonl);
  expect(status).toBe(201);
  expect(body).toMatchObject({ state: "uploaded", quality: { passed: false } });
  expect(body.quality.errors.map((e) => e.row)).toEqual([5, 6, undefined, undefined]);
  const asked = api().train({ body: { model_name: "linear", training_data_path: `dataset:${body.file_id}` } });
  await expect(asked).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringContaining("row 5") });
  const binary = await send(Buffer.from([0xff, 0xfe, 0x00]), jsonl);
  expect(binary.body.quality.errors[0]?.message).toBe("the data is not UTF-8");
});

test("a wrong digest leaves nothing behind", async () => {
  const count = async () =>
    (await system.system.storage.list("ml-security", { prefix: "training_data/uploads/" })).objects.length;
  const before = await count();
  const { status, body } = await send(toJsonl(toyRows(40, 16)), {
    ...jsonl,
    "content-digest": `sha-256=:${"A".repeat(43)}=:`,
  });
  expect([status, body.code]).toEqual([422, "DIGEST_MISMATCH"]);
  expect(await count()).toBe(before);
});

test("checks without keeping", async () => {
  const report = await api().validateData({ body: { rows: toyRows(40, 17).map((row) => ({ ...row })) } });
  expect(report).toMatchObject({ passed: true, rows: 40 });
  const stored = await api().validateData({ body: { uri: "latest" } });
  expect(stored.passed).toBe(true);
  const twice = [...toyRows(30, 18), ...toyRows(1, 18), { text: toyRows(1, 18)[0]?.text ?? "", label: "jailbreak" }];
  const { warnings } = await api().validateData({ body: { rows: twice.map((row) => ({ ...row })) } });
  expect(warnings.map((w) => w.message)).toEqual(
    expect.arrayContaining([
      expect.stringContaining("repeat"),
      "the same text is benign in an earlier row and jailbreak here",
    ]),
  );
  await expect(api().validateData({ body: {} })).rejects.toMatchObject({ code: "INVALID_INPUT" });
});
