/**
 * Verdicts a second over loopback HTTP, the whole system running: 64 clients in a process of their own, texts of at
 * most 32 tokens, all different, then the same again from the cache; with the cascade and, where the model has one,
 * without. The bars are the project's own targets. Command: npm run bench -- http [--count 8000] [--clients 64].
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { loadTokenizer } from "../packages/engine/src/index.ts";
import { emptyFolder, machine, median, processorFlags, removeFolder, startSystem } from "./measure.ts";
import { baseModel } from "./model.ts";
import { type Peer, startLoad } from "./peers.ts";
import { shortTextsOf } from "./texts.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "8000" },
    clients: { type: "string", default: "64" },
    rounds: { type: "string", default: "3" },
    model: { type: "string", default: "distilbert" },
  },
});
const [count, clients, rounds] = [Number(values.count), Number(values.clients), Number(values.rounds)];
const hasVnni = processorFlags().some((flag) => flag === "avx512-vnni" || flag === "avx-vnni");
const targets = { fresh: hasVnni ? 1000 : 500, cached: 10_000, p99Ms: 100 };

interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
}

/** Fresh texts and the same again, a few rounds, on a system of its own. */
async function measure(load: Peer, cascade: "on" | "off"): Promise<{ fresh: Figures; cached: Figures }> {
  const dataDir = emptyFolder();
  try {
    const system = await startSystem(dataDir, { env: { MLSEC_CASCADE: cascade } });
    const port = Number(new URL(system.url("model-api")).port);
    const send = (texts: readonly string[]) => load.ask<Figures>("run", { port, texts, clients, model: values.model });
    await send(shortTextsOf(1000, 7));
    const fresh: Figures[] = [];
    const cached: Figures[] = [];
    for (let round = 0; round < rounds; round++) {
      const texts = shortTextsOf(count, 100 + round);
      fresh.push(await send(texts));
      cached.push(await send(texts));
    }
    await system.stop();
    return { fresh: middle(fresh), cached: middle(cached) };
  } finally {
    removeFolder(dataDir);
  }
}

function middle(figures: readonly Figures[]): Figures {
  const of = (name: keyof Figures): number => median(figures.map((one) => one[name]));
  return {
    perSecond: of("perSecond"),
    p50Ms: of("p50Ms"),
    p99Ms: of("p99Ms"),
    errors: Math.max(...figures.map((one) => one.errors)),
  };
}

const show = (name: string, { perSecond, p50Ms, p99Ms, errors }: Figures): void =>
  console.log(
    `  ${name.padEnd(26)} ${perSecond.toFixed(0).padStart(6)} verdicts/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${errors} errors`,
  );

const load = await startLoad();
console.log(machine(`npm run bench -- http ${process.argv.slice(2).join(" ")}`));
const tokenizer = await loadTokenizer(baseModel);
const lengths = shortTextsOf(count, 100).map((text) => tokenizer.encode(text).ids.length);
console.log(
  `${count} texts a round, ${median(lengths)} tokens in the middle, at most ${Math.max(...lengths)}; ${clients} clients; medians of ${rounds} rounds`,
);
const hasCascade = existsSync(join(resolve(import.meta.dirname, ".."), "models", values.model, "cascade.json"));
const withIt = hasCascade ? await measure(load, "on") : undefined;
const without = await measure(load, "off");
await load.stop();
if (withIt) {
  show("cascade, fresh", withIt.fresh);
  show("cascade, from the cache", withIt.cached);
} else {
  console.log(`  ${values.model} has no cascade.json: only without`);
}
show("no cascade, fresh", without.fresh);
show("no cascade, from the cache", without.cached);
const best = withIt ?? without;
const met = {
  fresh: best.fresh.perSecond >= targets.fresh,
  cached: best.cached.perSecond >= targets.cached,
  p99: best.fresh.p99Ms < targets.p99Ms,
  errors: best.fresh.errors + best.cached.errors === 0,
};
console.log(
  JSON.stringify({
    bench: "http",
    cascade: withIt ?? null,
    without,
    targets,
    met,
    ratio: best.fresh.perSecond / targets.fresh,
  }),
);
