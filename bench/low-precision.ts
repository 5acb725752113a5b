/**
 * What int8 products cost in quality: the same rows, split and seeds trained in float32, with int8 input gradients and
 * all in int8; F1 on held-out rows, and a paired bootstrap interval of the loss over rows and seeds.
 * Command: npm run bench -- low-precision [--rows 4000] [--eval 3000] [--seeds 3] [--epochs 5] [--length 64]. The last
 * line is JSON; its ratio is the speed of int8 gradients over float32. Rows come from ../shared/data/train where it is, else from data/training.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { labels, macroF1, seededRandom, trainTransformer } from "../packages/engine/src/index.ts";
import { machine } from "./measure.ts";
import { defaultData, stratifiedRows } from "./texts.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "4000" },
    eval: { type: "string", default: "3000" },
    seeds: { type: "string", default: "3" },
    epochs: { type: "string", default: "5" },
    length: { type: "string", default: "64" },
    data: { type: "string", default: defaultData },
  },
});
const precisions = ["float32", "int8-gradients", "int8"] as const;
console.log(machine(`npm run bench -- low-precision ${process.argv.slice(2).join(" ")}`));
const rows = await stratifiedRows(values.data, Number(values.rows) + Number(values.eval), 7);
const groups = new Map<string, number>();
const grouped = rows.map(({ text, label, group }, i) => {
  const key = group === undefined ? `row ${i}` : String(group);
  if (!groups.has(key)) groups.set(key, groups.size);
  return { text, label, group: groups.get(key) ?? 0 };
});
const isHeld = (group: number): boolean => seededRandom(group + 1)() < Number(values.eval) / rows.length;
const held = grouped.filter(({ group }) => isHeld(group));
const train = grouped.filter(({ group }) => !isHeld(group));
const truth = Int32Array.from(held, ({ label }) => labels.indexOf(label as (typeof labels)[number]));
console.log(`${train.length} rows to train on, ${held.length} held out by near-duplicate group, ${values.data}`);

interface Outcome {
  readonly predicted: Int32Array;
  readonly seconds: number;
}

async function run(precision: (typeof precisions)[number], seed: number): Promise<Outcome> {
  const out = await mkdtemp(join(tmpdir(), "low-precision-"));
  const began = performance.now();
  let trained = 0;
  const result = await trainTransformer({
    base: "models/minilm-l6",
    out,
    rows: train,
    evalRows: held,
    config: {
      seed,
      precision,
      epochs: Number(values.epochs),
      learningRate: 2e-4,
      maxLength: Number(values.length),
      evaluationsPerEpoch: 0,
    },
    onProgress: ({ phase, step, totalSteps }) => {
      if (phase === "training" && step === totalSteps) trained = performance.now() - began;
    },
  });
  await rm(out, { recursive: true });
  return { predicted: predictions(result.evalLogits, result.evalRows), seconds: trained / 1000 };
}

/** Of a row's windows the one least sure that it is benign speaks for the row. */
function predictions(logits: Float32Array, owners: readonly number[]): Int32Array {
  const lowest = new Float64Array(held.length).fill(Number.POSITIVE_INFINITY);
  const out = new Int32Array(held.length);
  const benign = labels.indexOf("benign");
  for (const [window, row] of owners.entries()) {
    const own = logits.subarray(window * labels.length, (window + 1) * labels.length);
    const top = Math.max(...own);
    const calm = (own[benign] ?? 0) - top - Math.log(own.reduce((sum, value) => sum + Math.exp(value - top), 0));
    if (calm >= (lowest[row] ?? 0)) continue;
    lowest[row] = calm;
    out[row] = own.indexOf(top);
  }
  return out;
}

const f1 = (predicted: Int32Array, chosen: Int32Array): number =>
  macroF1(
    chosen.map((i) => truth[i] ?? 0),
    chosen.map((i) => predicted[i] ?? 0),
    labels.length,
  );

const everything = Int32Array.from(held, (_, i) => i);
type Pair = Record<(typeof precisions)[number], Outcome>;
const pairs: Pair[] = [];
for (let seed = 1; seed <= Number(values.seeds); seed++) {
  const pair: Pair = {
    float32: await run("float32", seed),
    "int8-gradients": await run("int8-gradients", seed),
    int8: await run("int8", seed),
  };
  pairs.push(pair);
  const figures = precisions.map((name) => {
    const { predicted, seconds } = pair[name];
    return `${name} macro F1 ${(100 * f1(predicted, everything)).toFixed(2)} in ${seconds.toFixed(0)} s`;
  });
  console.log(`seed ${seed}: ${figures.join(", ")}`);
}

const draws = Array.from({ length: 2000 }, (_, i) => {
  const random = seededRandom(99 + i);
  const draw = (size: number): number => Math.floor(random() * size);
  return {
    rows: Int32Array.from(everything, () => draw(held.length)),
    pairs: Array.from(pairs, () => pairs[draw(pairs.length)] ?? pairs[0]).flatMap((pair) => pair ?? []),
  };
});
const total = (name: (typeof precisions)[number]): number => pairs.reduce((sum, pair) => sum + pair[name].seconds, 0);

/** Points of F1 lost against float32, the mean over seeds, with its interval. */
function lossOf(name: "int8-gradients" | "int8") {
  const on = (chosen: Int32Array, drawn: readonly Pair[]): number =>
    drawn.reduce((sum, pair) => sum + f1(pair.float32.predicted, chosen) - f1(pair[name].predicted, chosen), 0) *
    (100 / drawn.length);
  const losses = draws.map((draw) => on(draw.rows, draw.pairs)).sort((a, b) => a - b);
  const [low, high] = [losses[49] ?? Number.NaN, losses[1949] ?? Number.NaN];
  const mean = on(everything, pairs);
  const ratio = total("float32") / total(name);
  console.log(
    `${name} loses ${mean.toFixed(2)} points of macro F1 (95 % ${low.toFixed(2)} to ${high.toFixed(2)}) at ${ratio.toFixed(2)} times the speed`,
  );
  return { mean, low, high, ratio, met: high < 0.5 };
}
const [gradients, all] = [lossOf("int8-gradients"), lossOf("int8")];
const sizes = { rows: train.length, held: held.length };
console.log(JSON.stringify({ bench: "low-precision", ...sizes, gradients, all, ratio: gradients.ratio }));
