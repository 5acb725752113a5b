/**
 * Rows a second of fine-tuning, end to end, against a Hugging Face Trainer loop on the same length-stratified rows.
 * --f1 ROWS trains one epoch of both on the same group-held-out split and compares F1; PyTorch's figure is recorded in
 * bench/reference and run again only with --record.
 * Command: npm run bench -- train-epoch [--rows 1024] [--f1 0] [--record] [--data FOLDER]. Last line: JSON.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { labels, macroF1, trainTransformer, type TrainConfig, type TrainResult } from "../packages/engine/src/index.ts";
import { type LabelledRow, splitByGroup } from "../scripts/read-rows.ts";
import { machine, processorFlags } from "./measure.ts";
import { baseModel } from "./model.ts";
import { type Peer, startPython } from "./peers.ts";
import { defaultData, stratifiedRows } from "./texts.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1024" },
    seed: { type: "string", default: "1" },
    f1: { type: "string", default: "0" },
    record: { type: "boolean", default: false },
    data: { type: "string", default: defaultData },
  },
});
const benign = labels.indexOf("benign");
const seed = Number(values.seed);
/** The loop that this bench compares with: what most people run. */
const recipe = {
  batch: 16,
  max_length: 256,
  learning_rate: 5e-5,
  weight_decay: 0.01,
  warmup_ratio: 0.06,
  seed,
  classes: 5,
};
/** Ours with the same settings; dropout on hidden states only, as our default has it. */
const same: Partial<TrainConfig> = { batchSize: 16, maxLength: 256, learningRate: 5e-5, epochs: 1, seed };

const labelsOf = (rows: readonly LabelledRow[]): number[] => rows.map(({ label }) => labels.indexOf(label as never));
const textsOf = (rows: readonly LabelledRow[]): string[] => rows.map(({ text }) => text);

/** One epoch of ours: loading, tokenising and saving included. */
async function ours(rows: readonly LabelledRow[], held: readonly LabelledRow[], config: Partial<TrainConfig>) {
  const out = await mkdtemp(join(tmpdir(), "mlsec-bench-"));
  try {
    const began = performance.now();
    const result = await trainTransformer({ base: baseModel, out, rows, evalRows: held, config });
    return { seconds: (performance.now() - began) / 1000, result };
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

function theirs(peer: Peer, rows: readonly LabelledRow[], details: Record<string, unknown> = {}) {
  const request = { folder: baseModel, texts: textsOf(rows), labels: labelsOf(rows), recipe, ...details };
  return peer.ask<{ seconds: number; predicted: number[] | null }>("train", request);
}

/** Ours and every form of the loop, by turns: ours again at the end. */
async function speed(peer: Peer | undefined) {
  const rows = await stratifiedRows(values.data, Number(values.rows), seed);
  console.log(
    `${rows.length} length-stratified rows, one epoch from the base encoder; loading and saving count for ours`,
  );
  const hasBf16 = processorFlags().some((flag) => flag === "avx512-bf16" || flag === "amx-bf16");
  const quiet = { attention_dropout: 0, seq_classif_dropout: 0.1 };
  const forms: Record<string, Record<string, unknown>> = {
    "Trainer fp32": {},
    "Trainer fp32, grouped by length, no attention dropout": { by_length: true, recipe: { ...recipe, dropout: quiet } },
    ...(hasBf16 && {
      "Trainer bf16": { bf16: true },
      "Trainer bf16, grouped by length, no attention dropout": {
        bf16: true,
        by_length: true,
        recipe: { ...recipe, dropout: quiet },
      },
    }),
  };
  const rates: Record<string, number> = {};
  const note = (name: string, seconds: number): void => {
    rates[name] = Math.max(rates[name] ?? 0, rows.length / seconds);
    console.log(`  ${name.padEnd(56)} ${(rows.length / seconds).toFixed(1)} rows/s`);
  };
  for (const [name, details] of Object.entries(peer ? forms : {})) {
    note("ours, batch 16, max 256", (await ours(rows, [], same)).seconds);
    if (peer) note(name, (await theirs(peer, rows, details)).seconds);
  }
  note("ours, batch 16, max 256", (await ours(rows, [], same)).seconds);
  note("ours, as shipped: batch 32, windows of 128", (await ours(rows, [], { epochs: 1, seed })).seconds);
  const own = rates["ours, batch 16, max 256"] ?? Number.NaN;
  const ratioTo = (name: string): number | null => (rates[name] === undefined ? null : own / rates[name]);
  const ratios = Object.fromEntries(Object.keys(forms).map((name) => [name, ratioTo(name)]));
  for (const [name, ratio] of Object.entries(ratios)) {
    console.log(`  ours is ${ratio === null ? "alone: no peer for" : `${ratio.toFixed(2)}x as fast as`} ${name}`);
  }
  const ratio = ratioTo("Trainer fp32");
  return { rowsPerSecond: rates, ratios, ratio, target: 6, met: ratio === null ? null : ratio >= 6 };
}

interface Quality {
  readonly macroF1: number;
  readonly attackF1: number;
}

function quality(truth: readonly number[], predicted: readonly number[]): Quality {
  const count = (isTrue: boolean, isFound: boolean): number =>
    truth.filter((label, i) => (label !== benign) === isTrue && (predicted[i] !== benign) === isFound).length;
  const hits = count(true, true);
  const attackF1 = (2 * hits) / Math.max(1, 2 * hits + count(false, true) + count(true, false));
  return { macroF1: macroF1(Int32Array.from(truth), Int32Array.from(predicted), labels.length), attackF1 };
}

/** Likeliest label of each held-out row, by its window that looks least benign. */
function predictedBy({ evalLogits, evalRows }: TrainResult, count: number): number[] {
  const out = new Array<number>(count).fill(benign);
  const lowest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  for (const [window, row] of evalRows.entries()) {
    const own = evalLogits.subarray(window * labels.length, (window + 1) * labels.length);
    const top = own.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const calm = (own[benign] ?? 0) - Math.log(own.reduce((sum, value) => sum + Math.exp(value - top), 0)) - top;
    if (calm >= (lowest[row] ?? 0)) continue;
    [lowest[row], out[row]] = [calm, own.indexOf(top)];
  }
  return out;
}

/** One epoch of both on the same split. */
async function compareF1(peer: Peer | undefined, count: number) {
  const rows = await stratifiedRows(values.data, count, seed);
  const { training, heldOut } = splitByGroup(rows, seed);
  console.log(`one epoch on ${training.length} rows, ${heldOut.length} of other groups held out`);
  const truth = labelsOf(heldOut);
  const own = await ours(training, heldOut, same);
  const found = quality(truth, predictedBy(own.result, heldOut.length));
  const reference = await referenceF1(peer, training, heldOut);
  const show = (name: string, { macroF1: macro, attackF1 }: Quality): void =>
    console.log(
      `  ${name.padEnd(24)} macro F1 ${(100 * macro).toFixed(2)} %, attack F1 ${(100 * attackF1).toFixed(2)} %`,
    );
  show("ours", found);
  if (reference) show("PyTorch, recorded", reference);
  const ratio = reference ? found.macroF1 / reference.macroF1 : null;
  return {
    rows: count,
    held_out: heldOut.length,
    ours: found,
    torch: reference ?? null,
    ratio,
    target: 1,
    met: ratio === null ? null : ratio >= 1,
  };
}

/** PyTorch's figure of the same rows, from bench/reference, or made now and recorded there. */
async function referenceF1(
  peer: Peer | undefined,
  training: readonly LabelledRow[],
  heldOut: readonly LabelledRow[],
): Promise<Quality | undefined> {
  const folder = join(import.meta.dirname, "reference");
  const key = { training: training.length, held_out: heldOut.length, seed };
  const file = join(folder, `f1-${training.length + heldOut.length}.json`);
  if (existsSync(file) && !values.record) {
    const known = JSON.parse(await readFile(file, "utf8"));
    const isSame =
      known.key.training === key.training && known.key.held_out === key.held_out && known.key.seed === seed;
    if (isSame) return known.figures as Quality;
    console.log("the recorded reference is of other rows: run again with --record");
    return undefined;
  }
  if (!peer) return undefined;
  const { predicted, seconds } = await theirs(peer, training, { predict: textsOf(heldOut) });
  const figures = quality(labelsOf(heldOut), predicted ?? []);
  const command = `npm run bench -- train-epoch --f1 ${values.f1} --seed ${seed} --record`;
  const record = {
    command,
    what: "Hugging Face Trainer, fp32, one epoch",
    key,
    recipe,
    versions: peer.versions,
    seconds,
    figures,
  };
  await mkdir(folder, { recursive: true });
  await writeFile(file, `${JSON.stringify(record, null, 2)}\n`);
  return figures;
}

const peer = await startPython("train_epoch");
console.log(machine(`npm run bench -- train-epoch ${process.argv.slice(2).join(" ")}`, peer?.versions));
const result = Number(values.f1) > 0 ? await compareF1(peer, Number(values.f1)) : await speed(peer);
await peer?.stop();
console.log(JSON.stringify({ bench: "train-epoch", ...result }));
