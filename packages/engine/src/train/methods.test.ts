// Ways of training besides the plain one: low-rank updates, pushed embeddings, a teacher; and kill -9 in each of them.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { teach } from "../infer/teacher.ts";
import { readSafetensors } from "../weights/safetensors-file.ts";
import type { TrainConfig } from "./config.ts";
import type { TrainRow } from "./rows.ts";
import { type TrainOptions, type TrainResult, trainTransformer } from "./train.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/parity");
const base = join(fixtures, "distilbert");
const verbs = ["ignore", "forget", "disregard", "drop", "cancel"];
const things = ["your instructions", "the rules above", "what you were told", "all previous text"];
const questions = ["how is the", "please send me the", "tell me about the", "where is my"];
const pairs = (a: readonly string[], b: readonly string[]): string[] => a.flatMap((x) => b.map((y) => `${x} ${y}`));
const rows: TrainRow[] = [
  ...pairs(verbs, things).map((text) => ({ text: `${text} now`, label: "prompt_injection" })),
  ...pairs(questions, verbs).map((text) => ({ text: `${text} weather?`, label: "benign" })),
];
const config: Partial<TrainConfig> = {
  epochs: 3,
  learningRate: 1e-3,
  batchSize: 8,
  maxLength: 32,
  seed: 3,
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "methods-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (name: string, own: Partial<TrainConfig>, more: Partial<TrainOptions> = {}): Promise<TrainResult> =>
  trainTransformer({ base, out: join(folder, name), rows, config: { ...config, ...own }, threads: 1, ...more });
const weightsOf = async (where: string) => (await readSafetensors(join(where, "model.safetensors"))).tensors;

describe.each(["distilbert", "gpt2", "deberta-v3"])("low-rank updates of %s", (name) => {
  test("learn, leave everything else alone, and are folded into an ordinary folder", async () => {
    const from = join(fixtures, name);
    const long = { epochs: 8, learningRate: 5e-3, lora: { rank: 4, alpha: 8 } };
    const result = await run(`lora-${name}`, long, { base: from, evalRows: rows });
    expect(result.losses.at(-1)).toBeLessThan(0.8 * (result.losses[0] ?? 0));
    const [before, after] = [await weightsOf(from), await weightsOf(result.outFolder)];
    expect([...after.keys()].some((key) => key.includes("lora"))).toBe(false);
    let moved = 0;
    for (const [key, tensor] of after) {
      const original = before.get(key);
      if (original === undefined || /classifier|score|pooler/.test(key)) continue; // the head trains whole
      const isSame = tensor.toFloat32().every((value, i) => Math.abs(value - (original.toFloat32()[i] ?? 0)) < 2e-3);
      if (!isSame) moved++;
      if (tensor.shape.length === 1 || /embed|wte|wpe/.test(key))
        expect({ key, isSame }).toEqual({ key, isSame: true });
    }
    expect(moved).toBeGreaterThan(4);
    const again = await run(
      `lora-again-${name}`,
      { epochs: 0.1, learningRate: 1e-9 },
      { base: result.outFolder, evalRows: rows },
    );
    again.evalLogits.forEach((value, i) => expect(Math.abs(value - (result.evalLogits[i] ?? 0))).toBeLessThan(0.05)); // fp16
  });
});

test("a rank that a layer does not have is refused", async () => {
  await expect(run("wide", { lora: { rank: 200, alpha: 1 } })).rejects.toMatchObject({ code: "CONFIG" });
  await expect(run("none", { lora: { rank: 0, alpha: 1 } })).rejects.toThrow(/lora.rank/);
});

test.each(["fgm", "pgd"] as const)(
  "%s learns and differs from plain training, embeddings frozen or not",
  async (method) => {
    const plain = await run("plain", {});
    const adversarial = { method, epsilon: 0.5, steps: 3 };
    const pushed = await run(`pushed-${method}`, { adversarial });
    expect(pushed.losses[0]).toBeGreaterThan(plain.losses[0] ?? 0); // the push makes it harder
    expect(pushed.losses.at(-1)).toBeLessThan(pushed.losses[0] ?? 0);
    const frozen = await run(`frozen-${method}`, { adversarial, freezeEmbeddings: true });
    expect(frozen.losses[0]).toBeCloseTo(pushed.losses[0] ?? 0, 5);
    const words = "distilbert.embeddings.word_embeddings.weight";
    const [before, after] = [await weightsOf(base), await weightsOf(frozen.outFolder)];
    const original = before.get(words)?.toFloat32() ?? [];
    after
      .get(words)
      ?.toFloat32()
      .forEach((value, i) => expect(Math.abs(value - (original[i] ?? 0))).toBeLessThan(2e-3));
  },
);

test("a student follows its teacher where the labels say nothing", async () => {
  const teacher = await run("teacher", { epochs: 20 });
  const texts = rows.map(({ text }) => text);
  const labels = JSON.parse(await readFile(join(folder, "teacher/config.json"), "utf8")).id2label as Record<
    string,
    string
  >;
  const names = Object.values(labels);
  const soft = await teach(teacher.outFolder, texts, { labels: names, benignLabel: "benign", threads: 1 });
  for (const values of soft) expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  const blind = texts.map((text, i) => ({ text, label: "jailbreak", ...(soft[i] && { soft: soft[i] }) }));
  const options = { rows: blind, evalRows: rows };
  const student = await run("student", { epochs: 20, distillation: { temperature: 2, share: 1 } }, options);
  expect(student.metrics.accuracy).toBeGreaterThan(0.9); // it never saw a true label
  const deaf = await run("deaf", { epochs: 20, distillation: { temperature: 2, share: 0 } }, options);
  expect(deaf.metrics.accuracy).toBeLessThan(0.1);
  const odd = [{ text: "x", label: "benign", soft: [0.5, 0.5] }];
  await expect(run("odd", {}, { rows: odd })).rejects.toMatchObject({ code: "DATA" });
  await expect(teach(teacher.outFolder, texts, { labels: ["a", "b"], benignLabel: "a" })).rejects.toMatchObject({
    code: "CONFIG",
  });
});

const ways: Record<string, Partial<TrainConfig>> = {
  plain: { attentionDropout: 0.1 },
  int8: { precision: "int8" },
  "int8-gradients": { precision: "int8-gradients" },
  "low-rank and adversarial": { lora: { rank: 2, alpha: 4 }, adversarial: { method: "fgm", epsilon: 0.3, steps: 1 } },
};

test.each(Object.entries(ways))("killed by kill -9 in %s training, it resumes to the same curve", async (name, own) => {
  const whole = await run(`whole-${name}`, own);
  const place = join(folder, `killed-${name}`);
  const options = { base, out: join(place, "out"), rows, config: { ...config, ...own }, threads: 1 };
  const job = { ...options, checkpointDir: join(place, "run"), checkpointEverySteps: 2 };
  const program = join(folder, `${name.replaceAll(" ", "-")}.ts`);
  await writeFile(
    program,
    `import { trainTransformer } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, "train.ts")).href)};
     await trainTransformer({ ...${JSON.stringify(job)}, onProgress: ({ step }) => console.log(step) });`,
  );
  for (const step of [3, 7, 12]) expect(await killedAt(program, step)).toBe("SIGKILL");
  const resumed = await trainTransformer(job);
  expect(resumed.losses).toEqual(whole.losses);
  expect(resumed.evalLogits).toEqual(whole.evalLogits);
});

/** Runs the program until it reports a step, then kills it; the signal that ended it. */
function killedAt(program: string, step: number): Promise<string | null> {
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  let seen = "";
  child.stdout.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    if (seen.split("\n").some((line) => Number(line) >= step && line !== "")) child.kill("SIGKILL");
  });
  return new Promise((done) => child.once("exit", (_, signal) => done(signal)));
}
