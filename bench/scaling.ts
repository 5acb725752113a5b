/**
 * What a training step costs as layers, width, rows and length grow, one at a time from 6x384 at 32x48, ours and
 * PyTorch fp32 by turns. Command: npm run bench -- scaling [--seconds 2]. The last line is JSON.
 */
import { parseArgs } from "node:util";
import { alternate, machine, median, pairedRatio } from "./measure.ts";
import { startPython } from "./peers.ts";
import { gigaflops, nameOf, openStep, type Size } from "./step.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "2" }, rounds: { type: "string", default: "3" } },
});
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
const base: Size = { layers: 6, hidden: 384, heads: 6, rows: 32, tokens: 48 };
const axes: Readonly<Record<string, readonly Size[]>> = {
  layers: [2, 4, 6, 12].map((layers) => ({ ...base, layers })),
  width: [128, 256, 384, 768].map((hidden) => ({ ...base, hidden, heads: hidden / 64 })),
  rows: [8, 16, 32, 64].map((rows) => ({ ...base, rows })),
  length: [16, 48, 128, 256].map((tokens) => ({ ...base, tokens, rows: 16 })),
};

const peer = await startPython("train_step");
console.log(machine(`npm run bench -- scaling ${process.argv.slice(2).join(" ")}`, peer?.versions));
console.log("milliseconds of forward, backward and AdamW; growth: cost over that of the row before");
const results: Record<string, unknown>[] = [];
for (const [axis, sizes] of Object.entries(axes)) {
  console.log(
    `\n${axis.padEnd(8)} ${"size".padEnd(18)} ${"GFLOP".padStart(7)} ${"ours".padStart(9)} ${"growth".padStart(7)} ${"PyTorch".padStart(9)} ${"growth".padStart(7)} ${"ratio".padStart(6)}`,
  );
  let before: { ours: number; torch: number } | undefined;
  for (const size of sizes) {
    if (peer) await peer.ask("setup", { ...size, dropout: 0, modes: ["eager"] });
    const step = await openStep(size);
    const times = await alternate(rounds, {
      ours: () => step.measure(seconds, true),
      ...(peer && { torch: () => peer.ask<number>("measure", { mode: "eager", seconds, update: true }) }),
    });
    await step.release();
    const now = { ours: median(times["ours"] ?? []), torch: median(times["torch"] ?? []) };
    const ratio = pairedRatio(times["torch"], times["ours"]);
    const growth = (side: "ours" | "torch"): string => (before ? (now[side] / before[side]).toFixed(2) : "");
    console.log(
      `${"".padEnd(8)} ${nameOf(size).padEnd(18)} ${gigaflops(size).toFixed(1).padStart(7)} ${now.ours.toFixed(1).padStart(9)} ${growth("ours").padStart(7)} ${now.torch.toFixed(1).padStart(9)} ${growth("torch").padStart(7)} ${(ratio?.toFixed(2) ?? "null").padStart(6)}`,
    );
    results.push({
      axis,
      ...size,
      gigaflops: gigaflops(size),
      ours_ms: now.ours,
      torch_ms: peer ? now.torch : null,
      ratio,
    });
    before = now;
  }
}
await peer?.stop();
const ratios = results.flatMap(({ ratio }) => (typeof ratio === "number" ? [ratio] : []));
console.log(JSON.stringify({ bench: "scaling", results, ratio: ratios.length > 0 ? median(ratios) : null }));
