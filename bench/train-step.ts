/**
 * Speed of one training step (forward and backward) in GFLOP/s, PyTorch beside it where python3 has torch.
 * Command: node bench/train-step.ts [--seconds 5]. The last line is JSON.
 */
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { architectures } from "../packages/engine/src/models/registry.ts";
import { padBatch } from "../packages/engine/src/train/batch.ts";
import { createDropoutPool } from "../packages/engine/src/train/dropout.ts";
import { openEncoder } from "../packages/engine/src/train/encoder.ts";
import { freshParameters } from "../packages/engine/src/train/parameters.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "5" }, dropout: { type: "string", default: "0" } },
});
const seconds = Number(values.seconds);
const sizes = [
  { layers: 6, hidden: 384, heads: 12, rows: 32, tokens: 48 },
  { layers: 6, hidden: 768, heads: 12, rows: 16, tokens: 128 },
  { layers: 4, hidden: 256, heads: 4, rows: 32, tokens: 32 },
];
type Size = (typeof sizes)[number];

/** Three times the products of a full forward pass: the same count for both engines, whatever either leaves out. */
function flops({ layers, hidden, rows, tokens }: Size): number {
  const perToken = 2 * 12 * hidden * hidden + 4 * tokens * hidden;
  return 3 * layers * rows * tokens * perToken;
}

async function ours(size: Size): Promise<number> {
  const architecture = architectures.get("distilbert");
  if (architecture === undefined) throw new Error("no distilbert");
  const { layers, hidden, heads } = size;
  const config = architecture.readConfig({
    vocab_size: 1000,
    dim: hidden,
    n_layers: layers,
    n_heads: heads,
    hidden_dim: 4 * hidden,
    num_labels: 5,
  });
  const model = { architecture, config };
  const rate = Number(values.dropout);
  const sessions = await openEncoder(model, freshParameters(model, 1), {
    rates: { hidden: rate, attention: 0, head: rate },
    isTrainable: () => true,
    threads: 0,
  });
  const windows = Array.from({ length: size.rows }, (_, i) => new Int32Array(size.tokens).fill(5 + i));
  const batch = padBatch(windows, [], 0);
  const targets = new Float32Array(size.rows * 5).fill(1 / (size.rows * 5));
  const masks = createDropoutPool(1).at(0, 0);
  for (let i = 0; i < 3; i++) await sessions.step(batch, targets, masks);
  const times: number[] = [];
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    const before = performance.now();
    await sessions.step(batch, targets, masks);
    times.push(performance.now() - before);
  }
  await sessions.release();
  return speed(size, times);
}

/** From the median step. */
function speed(size: Size, timesMs: number[]): number {
  const median = timesMs.sort((a, b) => a - b)[Math.floor(timesMs.length / 2)] ?? Number.NaN;
  return flops(size) / median / 1e6;
}

const python = `
import sys, time, json, torch
layers, hidden, heads, rows, tokens, seconds = map(float, sys.argv[1:])
layers, hidden, heads, rows, tokens = map(int, (layers, hidden, heads, rows, tokens))
layer = torch.nn.TransformerEncoderLayer(hidden, heads, 4 * hidden, dropout=0.0, activation="gelu", batch_first=True)
model = torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
head = torch.nn.Linear(hidden, 5)
x = torch.randn(rows, tokens, hidden, requires_grad=True)
labels = torch.zeros(rows, dtype=torch.long)
times, start = [], time.time()
while time.time() - start < seconds or len(times) < 5:
    t = time.perf_counter()
    torch.nn.functional.cross_entropy(head(model(x)[:, 0]), labels).backward()
    model.zero_grad(); head.zero_grad(); x.grad = None
    times.append((time.perf_counter() - t) * 1000)
print(json.dumps({"torch": torch.__version__, "times": times[2:]}))
`;

function torch(size: Size): { version: string; gflops: number } | undefined {
  const { layers, hidden, heads, rows, tokens } = size;
  const args = ["-c", python, ...[layers, hidden, heads, rows, tokens, seconds].map(String)];
  const run = spawnSync("python3", args, { encoding: "utf8" });
  if (run.status !== 0) return undefined;
  const { torch: version, times } = JSON.parse(run.stdout.trim().split("\n").at(-1) ?? "{}");
  return { version, gflops: speed(size, times) };
}

console.log(
  `machine: ${cpus().length} x ${cpus()[0]?.model}; node ${process.version}; ${process.argv.slice(1).join(" ")}`,
);
const results = [];
for (const size of sizes) {
  const gflops = await ours(size);
  const peer = torch(size);
  const name = `${size.layers}x${size.hidden} ${size.rows}x${size.tokens}`;
  results.push({ name, gflops, torch: peer?.gflops ?? null, ratio: peer ? gflops / peer.gflops : null });
  const beside = peer ? `PyTorch ${peer.version} ${peer.gflops.toFixed(0)}` : "python3 has no torch: no comparison";
  console.log(`${name}: ${gflops.toFixed(0)} GFLOP/s; ${beside}`);
}
console.log(JSON.stringify({ bench: "train-step", results }));
