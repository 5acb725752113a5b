/**
 * Memory of serving and of fine-tuning, ours beside PyTorch and transformers.js, each in a fresh process doing the same:
 * peak (resident) and, two seconds after the work, what stays (proportional set). Linux only, since /proc tells it.
 * Command: npm run bench -- memory [--texts 128] [--rows 128]. The last line is JSON; ratio: the least peer over ours.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { labels } from "../packages/engine/src/index.ts";
import { machine, memoryOfTree, peakMemory } from "./measure.ts";
import { baseModel, writeSeededModel } from "./model.ts";
import { type Peer, startEngine, startPython, startTransformersJs } from "./peers.ts";
import { defaultData, mixedTexts, stratifiedRows } from "./texts.ts";

const { values } = parseArgs({
  options: {
    texts: { type: "string", default: "128" },
    rows: { type: "string", default: "128" },
    data: { type: "string", default: defaultData },
  },
});
const maxTokens = 256;
const megabyte = 1024 ** 2;

interface Memory {
  readonly what: "serving" | "training";
  readonly name: string;
  readonly isOurs: boolean;
  readonly peakMb: number;
  readonly steadyMb: number;
}
const results: Memory[] = [];
const versions: Record<string, string> = {};

/** Runs the work in a fresh process; a peer that is not there is left out. */
async function measure(
  about: Pick<Memory, "what" | "name" | "isOurs">,
  start: () => Promise<Peer | undefined>,
  work: (peer: Peer) => Promise<unknown>,
): Promise<void> {
  const peer = await start();
  if (!peer) return;
  Object.assign(versions, peer.versions);
  await work(peer);
  await wait(2000);
  const memory = {
    peakMb: peakMemory(peer.pid) / megabyte,
    steadyMb: memoryOfTree(peer.pid) / megabyte,
  };
  await peer.stop();
  results.push({ ...about, ...memory });
  console.log(
    `  ${about.what.padEnd(9)} ${about.name.padEnd(34)} peak ${memory.peakMb.toFixed(0).padStart(5)} MB, after it ${memory.steadyMb.toFixed(0).padStart(5)} MB`,
  );
}

async function serving(folder: string, exported: string, texts: readonly string[]): Promise<void> {
  for (const precision of ["int8", "fp32"] as const) {
    for (const together of [false, true]) {
      const details = { folder, precision, texts, maxTokens, together };
      const name = `ours ${precision}, ${together ? "all at once" : "one by one"}`;
      await measure({ what: "serving", name, isOurs: true }, startEngine, (peer) => peer.ask("serve", details));
    }
  }
  for (const mode of ["fp32", "bf16", "int8"]) {
    await measure(
      { what: "serving", name: `PyTorch ${mode}, one by one`, isOurs: false },
      () => startPython("serve"),
      async (peer) => {
        await peer.ask("setup", { folder, texts, max_tokens: maxTokens, modes: [mode] });
        await peer.ask("latency", { mode, count: texts.length });
      },
    );
  }
  const exporter = await startPython("export");
  if (!exporter) return;
  await exporter.ask("export", { folder, out: exported, max_tokens: maxTokens });
  await exporter.stop();
  for (const mode of ["fp32", "q8"]) {
    await measure(
      { what: "serving", name: `transformers.js ${mode}, one by one`, isOurs: false },
      startTransformersJs,
      async (peer) => {
        await peer.ask("setup", { model: exported, texts, modes: [mode] });
        await peer.ask("latency", { mode, count: texts.length });
      },
    );
  }
}

async function training(): Promise<void> {
  const rows = await stratifiedRows(values.data, Number(values.rows), 1);
  await measure({ what: "training", name: "ours", isOurs: true }, startEngine, (peer) =>
    peer.ask("train", { folder: baseModel, rows }),
  );
  const texts = rows.map(({ text }) => text);
  const wanted = rows.map(({ label }) => labels.indexOf(label as never));
  const recipe = {
    batch: 16,
    max_length: maxTokens,
    learning_rate: 5e-5,
    weight_decay: 0.01,
    warmup_ratio: 0.06,
    seed: 1,
    classes: 5,
  };
  await measure(
    { what: "training", name: "PyTorch, Trainer fp32", isOurs: false },
    () => startPython("train_epoch"),
    (peer) => peer.ask("train", { folder: baseModel, texts, labels: wanted, recipe }),
  );
}

const scratch = await mkdtemp(join(tmpdir(), "mlsec-bench-"));
try {
  await writeSeededModel(scratch);
  const { texts } = await mixedTexts(Number(values.texts), values.data);
  console.log(
    `6x384 encoder; serving ${texts.length} texts of at most ${maxTokens} tokens, training on ${values.rows} rows, batch 16`,
  );
  await serving(scratch, join(scratch, "exported"), texts);
  await training();
} finally {
  await rm(scratch, { recursive: true, force: true });
}
console.log(machine(`npm run bench -- memory ${process.argv.slice(2).join(" ")}`, versions));
/** Least memory of any peer's setting over the least of ours. */
function ratioOf(what: Memory["what"], figure: "peakMb" | "steadyMb"): number | null {
  const least = (isOurs: boolean): number =>
    Math.min(...results.filter((one) => one.what === what && one.isOurs === isOurs).map((one) => one[figure]));
  const ratio = least(false) / least(true);
  return Number.isFinite(ratio) ? ratio : null;
}
const ratios = {
  serving_peak: ratioOf("serving", "peakMb"),
  serving_steady: ratioOf("serving", "steadyMb"),
  training_peak: ratioOf("training", "peakMb"),
  training_steady: ratioOf("training", "steadyMb"),
};
console.log(JSON.stringify({ bench: "memory", results, ratios, ratio: ratios.serving_peak }));
