/**
 * Texts a second, tokenising included, on 1,024 mixed texts with the same weights everywhere: ours fp32 and int8 against
 * transformers.js (fp32, q8) and PyTorch (fp32, bf16, int8), each at its best of several batch sizes, sorted by length
 * or not; the shipped detector and its cascade; then latency at one client. Winners take turns over all texts.
 * Command: npm run bench -- serve [--count 1024] [--rounds 3] [--search 256] [--data FOLDER|grammar]. The last line is JSON.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createSession, loadTokenizer, type Session, softmax } from "../packages/engine/src/index.ts";
import { alternate, machine, median, pairedRatio, processorFlags } from "./measure.ts";
import { type DetectorSides, openDetectorSides } from "./detector.ts";
import { writeSeededModel } from "./model.ts";
import { type Peer, startPython, startTransformersJs } from "./peers.ts";
import { defaultData, meanTokens, mixedTexts } from "./texts.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1024" },
    rounds: { type: "string", default: "3" },
    search: { type: "string", default: "256" },
    data: { type: "string", default: defaultData },
    "max-tokens": { type: "string", default: "256" },
  },
});
const count = Number(values.count);
const rounds = Number(values.rounds);
const maxTokens = Number(values["max-tokens"]);
/** Texts of the search for each peer's best setting. */
const searchCount = Math.min(count, Number(values.search));

/** One way to run a peer. */
interface Setting {
  readonly mode: string;
  readonly batch: number;
  readonly sort: boolean;
}
const label = ({ mode, batch, sort }: Setting): string => `${mode}, batch ${batch}${sort ? ", sorted" : ""}`;

/** Every setting of a peer over part of the texts; the fastest first. */
async function search(peer: Peer, modes: readonly string[], batches: readonly number[]) {
  const settings = modes.flatMap((mode) =>
    batches.flatMap((batch): Setting[] =>
      batch === 1 ? [{ mode, batch, sort: false }] : [false, true].map((sort) => ({ mode, batch, sort })),
    ),
  );
  const found: { setting: Setting; perSecond: number }[] = [];
  for (const setting of settings) {
    const perSecond = await peer.ask<number>("run", { ...setting, count: searchCount });
    console.log(`    ${label(setting).padEnd(24)} ${perSecond.toFixed(0)}/s`);
    found.push({ setting, perSecond });
  }
  return found.toSorted((a, b) => b.perSecond - a.perSecond);
}

/** Ours over texts, as peers do it: token ids cut at the longest, one call, probabilities. */
function ours(session: Session, tokenizer: Awaited<ReturnType<typeof loadTokenizer>>) {
  const encode = (text: string): Int32Array => {
    const { ids } = tokenizer.encode(text);
    return ids.length <= maxTokens
      ? ids
      : Int32Array.of(...ids.subarray(0, maxTokens - tokenizer.suffixIds.length), ...tokenizer.suffixIds);
  };
  const classify = async (texts: readonly string[]): Promise<Float32Array[]> => {
    const logits = await session.run(texts.map(encode));
    for (const own of logits) softmax(own, own.length);
    return logits;
  };
  return {
    classify,
    async perSecond(texts: readonly string[]): Promise<number> {
      await wait(50);
      const began = performance.now();
      await classify(texts);
      return (texts.length * 1000) / (performance.now() - began);
    },
    async latency(texts: readonly string[]): Promise<number> {
      const times: number[] = [];
      for (const text of texts) {
        const before = performance.now();
        await classify([text]);
        times.push(performance.now() - before);
      }
      return median(times);
    },
  };
}

/** Opens both peers on the same weights; a peer that is not there is undefined. */
async function openPeers(model: string, scratch: string) {
  const torch = await startPython("serve");
  const exporter = await startPython("export");
  const exported = join(scratch, "exported");
  await exporter?.ask("export", { folder: model, out: exported, max_tokens: maxTokens });
  await exporter?.stop();
  const js = exporter ? await startTransformersJs() : undefined;
  if (!exporter) console.log("transformers.js needs the ONNX export of PyTorch: no comparison with it.");
  return { torch, js, exported };
}

/** Everything that takes turns, opened on the same weights and texts. */
async function openSides(scratch: string, texts: readonly string[]) {
  const { torch, js, exported } = await openPeers(scratch, scratch);
  console.log(
    machine(`npm run bench -- serve ${process.argv.slice(2).join(" ")}`, { ...torch?.versions, ...js?.versions }),
  );
  const tokenizer = await loadTokenizer(scratch);
  const mean = meanTokens(tokenizer, texts, maxTokens);
  console.log(`${texts.length} texts, mean ${mean.toFixed(0)} tokens, cut at ${maxTokens}; 6x384 encoder`);
  const sessions = {
    int8: await createSession(scratch, { precision: "int8" }),
    fp32: await createSession(scratch, { precision: "fp32" }),
  };
  const engine = { int8: ours(sessions.int8, tokenizer), fp32: ours(sessions.fp32, tokenizer) };
  const hasBf16 = processorFlags().some((flag) => flag === "avx512-bf16" || flag === "amx-bf16");
  const modes = { torch: ["fp32", "int8", ...(hasBf16 ? ["bf16"] : [])], js: ["fp32", "q8"] };
  if (torch) {
    const details = { folder: scratch, texts, max_tokens: maxTokens, modes: modes.torch };
    modes.torch = (await torch.ask<{ modes: string[] }>("setup", details)).modes;
    await sameLogits(torch, engine.fp32, texts);
  }
  await js?.ask("setup", { model: exported, texts, modes: modes.js });
  const detector = await openDetectorSides("distilbert", texts, maxTokens);
  const release = async (): Promise<void> => {
    await Promise.all([
      sessions.int8.release(),
      sessions.fp32.release(),
      detector.release(),
      torch?.stop(),
      js?.stop(),
    ]);
  };
  return { torch, js, engine, detector, modes, mean, release };
}

const scratch = await mkdtemp(join(tmpdir(), "mlsec-bench-"));
try {
  await writeSeededModel(scratch);
  const { texts, from } = await mixedTexts(count, values.data);
  console.log(`texts: ${from}`);
  const { torch, js, engine, detector, modes, mean, release } = await openSides(scratch, texts);
  console.log(`PyTorch, ${searchCount} texts a setting`);
  const bestTorch = torch ? await search(torch, modes.torch, [1, 8, 32, 64]) : [];
  console.log(`transformers.js, ${searchCount} texts a setting`);
  const bestJs = js ? await search(js, modes.js, [1, 4, 16]) : [];
  await engine.int8.perSecond(texts.slice(0, searchCount));
  await engine.fp32.perSecond(texts.slice(0, searchCount));
  const compared = await detector.compare();
  const [torchSetting, jsSetting] = [bestTorch[0]?.setting, bestJs[0]?.setting];
  const rates = await alternate(rounds, {
    int8: () => engine.int8.perSecond(texts),
    ...(torch && torchSetting && { torch: () => torch.ask<number>("run", { ...torchSetting, count }) }),
    fp32: () => engine.fp32.perSecond(texts),
    ...(js && jsSetting && { js: () => js.ask<number>("run", { ...jsSetting, count }) }),
    ...detector.sides,
  });
  const alone = Math.min(count, 200);
  const firstOf = (found: typeof bestJs): string | undefined =>
    found.find(({ setting }) => setting.batch === 1)?.setting.mode;
  const [torchAlone, jsAlone] = [firstOf(bestTorch), firstOf(bestJs)];
  const latencies = await alternate(rounds, {
    int8: () => engine.int8.latency(texts.slice(0, alone)),
    ...(torch && { torch: () => torch.ask<number>("latency", { mode: torchAlone, count: alone }) }),
    fp32: () => engine.fp32.latency(texts.slice(0, alone)),
    ...(js && { js: () => js.ask<number>("latency", { mode: jsAlone, count: alone }) }),
  });
  report(rates, latencies, { torch: torchSetting, js: jsSetting, torchAlone, jsAlone, mean, compared });
  await release();
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Largest difference of logits between ours in fp32 and PyTorch: the comparison is one of equals. */
async function sameLogits(torch: Peer, engine: ReturnType<typeof ours>, texts: readonly string[]): Promise<void> {
  const some = 64;
  const theirs = await torch.ask<number[][]>("logits", { mode: "fp32", count: some });
  const own = await engine.classify(texts.slice(0, some));
  const differences = own.flatMap((logits, i) =>
    Array.from(logits, (value, k) => Math.abs(value - (theirs[i]?.[k] ?? Number.NaN))),
  );
  console.log(`fp32 logits differ from PyTorch's by at most ${Math.max(...differences).toExponential(1)}`);
}

function report(
  rates: Readonly<Record<string, number[]>>,
  latencies: Readonly<Record<string, number[]>>,
  best: {
    torch?: Setting | undefined;
    js?: Setting | undefined;
    torchAlone: string | undefined;
    jsAlone: string | undefined;
    mean: number;
    compared: Awaited<ReturnType<DetectorSides["compare"]>>;
  },
): void {
  const names: Readonly<Record<string, string>> = {
    int8: "ours int8",
    fp32: "ours fp32",
    detector: "shipped detector, whole verdicts",
    cascade: "shipped cascade, whole verdicts",
    torch: `PyTorch, best: ${best.torch ? label(best.torch) : ""}`,
    js: `transformers.js, best: ${best.js ? label(best.js) : ""}`,
  };
  for (const [side, figures] of Object.entries(rates)) {
    const p50 = latencies[side] ? `, one client p50 ${median(latencies[side]).toFixed(2)} ms` : "";
    console.log(`${(names[side] ?? side).padEnd(48)} ${median(figures).toFixed(0)} texts/s${p50}`);
  }
  console.log(`p50 of one client: PyTorch ${best.torchAlone ?? "none"}, transformers.js ${best.jsAlone ?? "none"}`);
  if (best.compared) {
    const { share, agreement } = best.compared;
    console.log(
      `the student answers ${(100 * share).toFixed(1)} %; decided as without it: ${(100 * agreement).toFixed(2)} %`,
    );
  }
  const ratios = {
    js: pairedRatio(rates["int8"], rates["js"]),
    torch: pairedRatio(rates["int8"], rates["torch"]),
    js_fp32_ours: pairedRatio(rates["fp32"], rates["js"]),
    torch_fp32_ours: pairedRatio(rates["fp32"], rates["torch"]),
    cascade_js: pairedRatio(rates["cascade"], rates["js"]),
    latency_js: pairedRatio(latencies["js"], latencies["int8"]),
    latency_torch: pairedRatio(latencies["torch"], latencies["int8"]),
  };
  const targets = { js: 2, torch: 1.5, cascade_js: 5, latency_js: 1, latency_torch: 1 };
  const met = Object.fromEntries(
    Object.entries(targets).map(([name, target]) => {
      const ratio = ratios[name as keyof typeof ratios];
      console.log(
        `${name}: ${ratio === null ? "no peer" : `${ratio.toFixed(2)}x, target ${target}x, ${ratio >= target ? "met" : "missed"}`}`,
      );
      return [name, ratio === null ? null : ratio >= target];
    }),
  );
  const perSecond = Object.fromEntries(Object.entries(rates).map(([side, figures]) => [side, median(figures)]));
  const p50Ms = Object.fromEntries(Object.entries(latencies).map(([side, figures]) => [side, median(figures)]));
  const settings = { torch: best.torch, js: best.js, mean_tokens: best.mean };
  console.log(
    JSON.stringify({
      bench: "serve",
      perSecond,
      p50Ms,
      settings,
      cascade: best.compared,
      ratios,
      targets,
      met,
      ratio: ratios.js,
    }),
  );
}
