/**
 * Texts a second of a served encoder, int8 and fp32, short (24 tokens) and mixed texts, alone and 32 at a time;
 * PyTorch beside it where python3 has torch. Weights: models/distilbert when it holds an int8 form, else the base
 * encoder of models/minilm-l6 with a seeded head. Speed does not depend on what the weights say.
 * Command: node bench/serve.ts [--seconds 3] [--threads 0] [--folder FOLDER]. The last line is JSON.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  createBatcher,
  createSession,
  labels,
  openDetector,
  quantise,
  readSafetensors,
  type Session,
  seededRandom,
  writeSafetensors,
} from "../packages/engine/src/index.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "3" },
    threads: { type: "string", default: "0" },
    folder: { type: "string", default: "models/distilbert" },
  },
});
const seconds = Number(values.seconds);
const threads = Number(values.threads);
const version = JSON.parse(await readFile("node_modules/onnxruntime-node/package.json", "utf8")).version as string;

/** The base encoder with a seeded head, in both forms. */
async function seededModel(folder: string): Promise<void> {
  const base = "models/minilm-l6";
  const config = JSON.parse(await readFile(join(base, "config.json"), "utf8"));
  const id2label = Object.fromEntries(labels.map((label, i) => [i, label]));
  await writeFile(join(folder, "config.json"), JSON.stringify({ ...config, id2label }));
  for (const file of ["tokenizer.json", "tokenizer_config.json"]) await copyFile(join(base, file), join(folder, file));
  const { tensors } = await readSafetensors(join(base, "model.safetensors"));
  const random = seededRandom(1);
  const noise = (count: number): Float32Array => Float32Array.from({ length: count }, () => (random() - 0.5) * 0.1);
  const { dim } = config as { dim: number };
  const encoder = [...tensors].map(([name, { dtype, shape, bytes }]) => ({
    name: name.startsWith("distilbert.") ? name : `distilbert.${name}`,
    ...{ dtype, shape, data: bytes },
  }));
  await writeSafetensors(join(folder, "model.safetensors"), [
    ...encoder,
    { name: "pre_classifier.weight", dtype: "F32", shape: [dim, dim], data: noise(dim * dim) },
    { name: "pre_classifier.bias", dtype: "F32", shape: [dim], data: noise(dim) },
    { name: "classifier.weight", dtype: "F32", shape: [labels.length, dim], data: noise(labels.length * dim) },
    { name: "classifier.bias", dtype: "F32", shape: [labels.length], data: noise(labels.length) },
  ]);
  const { bytes } = await quantise(folder);
  console.log(`int8 weights: ${(bytes / 1e6).toFixed(1)} MB`);
}

/** Token rows: 24 tokens each, or 8 to 128 with most of them short. */
function rowsOf(kind: "short" | "mixed", count: number): Int32Array[] {
  const random = seededRandom(kind === "short" ? 2 : 3);
  return Array.from({ length: count }, () => {
    const length = kind === "short" ? 24 : 8 + Math.floor(120 * random() ** 3);
    return Int32Array.from({ length }, (_, i) =>
      i === 0 ? 101 : i === length - 1 ? 102 : 1000 + Math.floor(random() * 20_000),
    );
  });
}

interface Figure {
  readonly perSecond: number;
  readonly p50Ms: number;
}

async function measure(
  rows: readonly Int32Array[],
  batch: number,
  run: (rows: Int32Array[]) => Promise<unknown>,
): Promise<Figure> {
  for (let i = 0; i < 3; i++) await run(rows.slice(0, batch));
  const times: number[] = [];
  const started = performance.now();
  for (let at = 0; performance.now() - started < seconds * 1000; at = (at + batch) % (rows.length - batch + 1)) {
    const before = performance.now();
    await run(rows.slice(at, at + batch));
    times.push(performance.now() - before);
  }
  const perSecond = (times.length * batch * 1000) / (performance.now() - started);
  return { perSecond, p50Ms: times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN };
}

const python = `
import sys, time, json, torch
layers, hidden, heads, batch = map(int, sys.argv[1:5]); seconds = float(sys.argv[5])
torch.manual_seed(0)
layer = torch.nn.TransformerEncoderLayer(hidden, heads, 4 * hidden, dropout=0.0, activation="gelu", batch_first=True)
model = torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False).eval()
words, head = torch.nn.Embedding(30522, hidden), torch.nn.Linear(hidden, 5)
rows = json.load(sys.stdin)
def run(part):
    longest = max(map(len, part))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in part])
    return head(model(words(ids), src_key_padding_mask=(ids == 0) if len(part) > 1 else None)[:, 0])
with torch.inference_mode():
    for part in rows[:3]: run(part)
    count, start, at = 0, time.time(), 0
    while time.time() - start < seconds:
        run(rows[at % len(rows)]); at += 1; count += batch
    print(json.dumps({"torch": torch.__version__, "perSecond": count / (time.time() - start)}))
`;

/** PyTorch fp32 on the same token rows. */
function torch(
  session: Session,
  rows: readonly Int32Array[],
  batch: number,
): { version: string; perSecond: number } | null {
  const { layers, dim, heads } = session.spec;
  const parts: number[][][] = [];
  for (let at = 0; at + batch <= rows.length; at += batch)
    parts.push(rows.slice(at, at + batch).map((row) => [...row]));
  const args = ["-c", python, ...[layers, dim, heads, batch, seconds].map(String)];
  const run = spawnSync("python3", args, { encoding: "utf8", input: JSON.stringify(parts) });
  if (run.status !== 0) return null;
  const answer = JSON.parse(run.stdout.trim().split("\n").at(-1) ?? "{}");
  return { version: answer.torch, perSecond: answer.perSecond };
}

/** Many callers with one text each through the batcher, as in the server. */
async function continuous(
  session: Session,
  rows: readonly Int32Array[],
  callers: number,
): Promise<Figure & { rowsPerRun: number }> {
  let runs = 0;
  let done = 0;
  const batcher = createBatcher({ run: (part) => session.run(part), onBatch: () => runs++ });
  const times: number[] = [];
  const started = performance.now();
  const caller = async (first: number): Promise<void> => {
    for (let i = first; performance.now() - started < seconds * 1000; i += callers) {
      const before = performance.now();
      await batcher.submit([rows[i % rows.length] ?? Int32Array.of(101, 102)]);
      times.push(performance.now() - before);
      done++;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, i) => caller(i)));
  const perSecond = (done * 1000) / (performance.now() - started);
  await batcher.close();
  return { perSecond, p50Ms: times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN, rowsPerRun: done / runs };
}

console.log(
  `machine: ${cpus().length} x ${cpus()[0]?.model}; node ${process.version}; onnxruntime ${version}; node ${process.argv.slice(1).join(" ")}`,
);
const scratch = await mkdtemp(join(tmpdir(), "bench-"));
const results: Record<string, unknown>[] = [];
try {
  const isShipped = existsSync(join(values.folder, "model.int8.safetensors"));
  await seededModel(scratch);
  console.log(`int8: ${isShipped ? values.folder : "models/minilm-l6 with a seeded head"}`);
  for (const precision of ["int8", "fp32"] as const) {
    const folder = precision === "int8" && isShipped ? values.folder : scratch;
    const started = performance.now();
    const session = await createSession(folder, { precision, threads });
    console.log(
      `${precision}: loaded in ${(performance.now() - started).toFixed(0)} ms, ${(session.memoryBytes / 1e6).toFixed(0)} MB`,
    );
    for (const kind of ["short", "mixed"] as const) {
      const rows = rowsOf(kind, 512);
      for (const batch of [1, 32]) {
        const { perSecond, p50Ms } = await measure(rows, batch, (part) => session.run(part));
        const peer = torch(session, rows, batch);
        const ratio = peer ? perSecond / peer.perSecond : null;
        results.push({ precision, kind, batch, perSecond, p50Ms, torch: peer?.perSecond ?? null, ratio });
        const beside = peer
          ? `PyTorch ${peer.version} fp32 ${peer.perSecond.toFixed(0)}`
          : "python3 has no torch: no comparison";
        console.log(
          `${precision} ${kind} ×${batch}: ${perSecond.toFixed(0)} texts/s, p50 ${p50Ms.toFixed(2)} ms; ${beside}`,
        );
      }
      const shared = await continuous(session, rows, 32);
      results.push({ precision, kind, callers: 32, ...shared, torch: null, ratio: null });
      console.log(
        `${precision} ${kind}, 32 callers through the batcher: ${shared.perSecond.toFixed(0)} texts/s, p50 ${shared.p50Ms.toFixed(2)} ms, ${shared.rowsPerRun.toFixed(1)} rows a run`,
      );
    }
    await session.release();
  }
  results.push(await wholeVerdicts(scratch));
} finally {
  await rm(scratch, { recursive: true, force: true });
}
console.log(JSON.stringify({ bench: "serve", results, ratio: results[0]?.["ratio"] ?? null }));

/** One client, whole verdicts: views, tokens, windows, pooling. */
async function wholeVerdicts(folder: string): Promise<Record<string, unknown>> {
  const labelMap = Object.fromEntries(
    labels.map((label) => [label, label === "benign" ? "benign" : "attack"] as const),
  );
  const isDetector = existsSync(join(values.folder, "detector.json"));
  const detector = await openDetector(isDetector ? values.folder : folder, { labelMap, threads });
  const text = "Please summarise the quarterly report and list the three largest costs for the board meeting";
  const times: number[] = [];
  for (const started = performance.now(); performance.now() - started < seconds * 1000; ) {
    const before = performance.now();
    await detector.verdicts([`${text} ${times.length}`]);
    times.push(performance.now() - before);
  }
  await detector.release();
  const p50Ms = times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
  const { precision } = detector.manifest;
  console.log(`${precision} whole verdict of one short text, one client: p50 ${p50Ms.toFixed(2)} ms`);
  return { precision, kind: "verdict", batch: 1, p50Ms, ratio: null };
}
