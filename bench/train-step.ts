/**
 * Milliseconds of a training step, without and with AdamW, beside PyTorch on Hugging Face's DistilBERT of the same size:
 * fp32 eager, compiled, and bf16 autocast where the processor has it. Both take turns in one run.
 * Command: npm run bench -- train-step [--only 6x384] [--seconds 3] [--rounds 3] [--dropout 0] [--low-precision].
 * --low-precision adds our int8 forms. The last line is JSON; its ratio is the smallest of ours fp32 to fp32 eager.
 */
import { parseArgs } from "node:util";
import { alternate, machine, median, pairedRatio, processorFlags } from "./measure.ts";
import { type Peer, startPython } from "./peers.ts";
import { gigaflops, nameOf, type OpenStep, openStep, type Size } from "./step.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    seconds: { type: "string", default: "3" },
    rounds: { type: "string", default: "3" },
    dropout: { type: "string", default: "0" },
    "low-precision": { type: "boolean", default: false },
  },
});
const [seconds, rounds, dropout] = [Number(values.seconds), Number(values.rounds), Number(values.dropout)];

const sizes: readonly (Size & { readonly target: number })[] = [
  { layers: 6, hidden: 768, heads: 12, rows: 16, tokens: 128, target: 1.5 },
  { layers: 6, hidden: 384, heads: 12, rows: 32, tokens: 48, target: 1.5 },
  { layers: 4, hidden: 256, heads: 4, rows: 32, tokens: 32, target: 1.3 },
];
type Mode = "eager" | "compiled" | "bf16";
/** Our own forms of a step, each measured in every round. */
const forms: Readonly<Record<string, (size: Size) => Promise<OpenStep>>> = {
  ours: (size) => openStep(size, { dropout }),
  ...(values["low-precision"] && {
    gradients: (size: Size) => openStep(size, { dropout, int8: "gradients" }),
    all: (size: Size) => openStep(size, { dropout, int8: "all" }),
  }),
};

/** What one size gave: milliseconds of every side, and the ratios of PyTorch's to ours. */
async function measureSize(size: Size & { readonly target: number }, peer: Peer | undefined) {
  const hasBf16 = processorFlags().some((flag) => flag === "avx512-bf16" || flag === "amx-bf16");
  const wanted: Mode[] = ["eager", "compiled", ...(hasBf16 ? (["bf16"] as const) : [])];
  const { layers, hidden, heads, rows, tokens } = size;
  const setup = { layers, hidden, heads, rows, tokens, dropout, modes: wanted };
  const modes = peer ? (await peer.ask<{ modes: Mode[] }>("setup", setup)).modes : [];
  const opened = await Promise.all(
    Object.entries(forms).map(async ([name, open]) => [name, await open(size)] as const),
  );
  const times: Record<string, { without: number[]; with: number[] }> = {};
  for (const update of [false, true]) {
    const sides = {
      ...Object.fromEntries(opened.map(([name, step]) => [name, () => step.measure(seconds, update)])),
      ...Object.fromEntries(modes.map((mode) => [mode, () => ask(peer, { mode, seconds, update })])),
    };
    for (const [side, figures] of Object.entries(await alternate(rounds, sides))) {
      times[side] = { ...(times[side] ?? { without: [], with: [] }), [update ? "with" : "without"]: figures };
    }
  }
  for (const [, step] of opened) await step.release();
  return { size, times };
}

function ask(peer: Peer | undefined, details: { mode: Mode; seconds: number; update: boolean }): Promise<number> {
  return peer ? peer.ask<number>("measure", details) : Promise.resolve(Number.NaN);
}

function print({ size, times }: Awaited<ReturnType<typeof measureSize>>) {
  const names: Readonly<Record<string, string>> = {
    ours: "ours fp32",
    gradients: "ours int8 gradients",
    all: "ours int8",
    eager: "PyTorch fp32 eager",
    compiled: "PyTorch fp32 compiled",
    bf16: "PyTorch bf16 autocast",
  };
  console.log(`\n${nameOf(size)}`);
  const sides = Object.entries(times).map(([side, own]) => {
    const [step, full] = [median(own.without), median(own.with)];
    const speed = (ms: number): string => ((gigaflops(size) / ms) * 1000).toFixed(0);
    const isOurs = side in forms;
    const ratio = {
      step: pairedRatio(own.without, times["ours"]?.without),
      full: pairedRatio(own.with, times["ours"]?.with),
    };
    const others = isOurs ? Object.entries(times).filter(([name]) => !(name in forms)) : [];
    const ratios = Object.fromEntries(others.map(([name, their]) => [name, pairedRatio(their.with, own.with)]));
    const beside = Object.entries(ratios).map(([name, value]) => `${value?.toFixed(2)}x ${names[name] ?? name}`);
    console.log(
      `  ${(names[side] ?? side).padEnd(22)} ${step.toFixed(1)} ms, with AdamW ${full.toFixed(1)} ms (${speed(step)} / ${speed(full)} GFLOP/s)${beside.length > 0 ? `; with AdamW ${beside.join(", ")}` : ""}`,
    );
    return [side, { step_ms: step, full_ms: full, ...(isOurs ? { ratios } : { ratio }) }] as const;
  });
  const by = Object.fromEntries(sides);
  const eager = by["eager"];
  const ratio = eager && "ratio" in eager ? eager.ratio : null;
  const lowest = ratio && Math.min(ratio.step ?? Number.NaN, ratio.full ?? Number.NaN);
  console.log(
    `  target ${size.target}x of fp32 eager: ${lowest === null ? "no peer" : lowest >= size.target ? "met" : "missed"}`,
  );
  return {
    name: nameOf(size),
    sides: by,
    ratio: lowest,
    target: size.target,
    met: lowest === null ? null : lowest >= size.target,
  };
}

const peer = await startPython("train_step");
console.log(machine(`npm run bench -- train-step ${process.argv.slice(2).join(" ")}`, peer?.versions));
if (!peer) console.log("without PyTorch the ratio is null");
console.log("GFLOP/s: three times a full forward pass; ours clips the gradient norm in AdamW's time, PyTorch does not");
const results: ReturnType<typeof print>[] = [];
for (const size of sizes.filter((one) => nameOf(one).startsWith(values.only))) {
  results.push(print(await measureSize(size, peer)));
}
await peer?.stop();
const ratios = results.flatMap((result) => result.ratio ?? []);
const ratio = ratios.length > 0 ? Math.min(...ratios) : null;
console.log(JSON.stringify({ bench: "train-step", results, ratio }));
