import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const main = path.join(import.meta.dirname, "../main.ts");
const fixtures = path.join(import.meta.dirname, "../../../../packages/engine/fixtures/parity");
const two = ["distilbert", "gpt2"].map((name) => path.join(fixtures, name));
let damaged = "";

beforeAll(async () => {
  damaged = await mkdtemp(path.join(tmpdir(), "mlsec-parity-"));
  await cp(path.join(fixtures, "gpt2"), damaged, { recursive: true });
  const file = path.join(damaged, "expected.json");
  const json = JSON.parse(await readFile(file, "utf8"));
  json.texts[3].logits[1] += 0.001;
  await writeFile(file, JSON.stringify(json));
});
afterAll(() => rm(damaged, { recursive: true, force: true }));

async function parity(...args: string[]) {
  const run = promisify(execFile)(process.execPath, [main, "parity", ...args]);
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

test("folders that agree: a row each, exit 0; files among them are left out", async () => {
  const { code, stdout, stderr } = await parity(...two, main);
  expect(code).toBe(0);
  expect(stderr).toContain(`${main} is a file: left out`);
  const [header, ...rows] = stdout.trim().split("\n");
  expect(header).toMatch(/folder +model +texts +ids +offsets +logits +gradients +losses/);
  expect(rows).toHaveLength(2);
  expect(rows.every((row) => row.includes("agrees"))).toBe(true);
});

test("a damaged copy: exit 1, and the figure says where", async () => {
  const { code, stdout } = await parity("--json", two[0] ?? "", damaged);
  expect(code).toBe(1);
  const [good, bad] = JSON.parse(stdout);
  expect(good).toMatchObject({ folder: two[0], modelType: "distilbert", differingIds: 0, agrees: true });
  expect(bad).toMatchObject({ folder: damaged, differingIds: 0, differingOffsets: 0, agrees: false });
  expect(bad.logits).toBeCloseTo(0.001, 5);
});

test("what is no reference folder is named: exit 2, the others are still compared", async () => {
  const { code, stdout, stderr } = await parity(import.meta.dirname, two[1] ?? "");
  expect(code).toBe(2);
  expect(stderr).toContain(`${import.meta.dirname} is no reference folder: expected.json cannot be read`);
  expect(stdout).toContain("agrees");
  expect((await parity()).code).toBe(2);
});
