/** transformers.js's text-classification pipeline over texts: fp32 or q8, any batch, sorted by length or not. */
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { median } from "../measure.ts";
import { serve } from "./protocol.ts";

interface Classified {
  readonly label: string;
  readonly score: number;
}
type Pipeline = (texts: string | readonly string[], options?: { top_k: number | null }) => Promise<Classified[]>;
interface Module {
  readonly env: { localModelPath: string; allowRemoteModels: boolean; allowLocalModels: boolean };
  pipeline(task: string, model: string, options: { dtype: string; device: string }): Promise<Pipeline>;
}

const folder = process.argv[2] ?? "";
const { version, exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const entry = pathToFileURL(join(folder, exports.node.import.default)).href;
const { env, pipeline } = (await import(entry)) as Module;
const pipelines = new Map<string, Pipeline>();
let all: readonly string[] = [];

async function classify(mode: string, texts: readonly string[]): Promise<void> {
  await pipelines.get(mode)?.(texts.length === 1 ? (texts[0] ?? "") : texts);
}

await serve(
  { "transformers.js": version },
  {
    async setup({ model, texts, modes }: { model: string; texts: string[]; modes: string[] }) {
      all = texts;
      [env.localModelPath, env.allowRemoteModels, env.allowLocalModels] = [`${dirname(model)}/`, false, true];
      for (const dtype of modes) {
        pipelines.set(dtype, await pipeline("text-classification", basename(model), { dtype, device: "cpu" }));
      }
      return { modes };
    },
    /** Texts a second, tokenising included. */
    async run({ mode, batch, sort, count }: { mode: string; batch: number; sort: boolean; count: number }) {
      const texts = all.slice(0, count);
      await classify(mode, texts.slice(0, batch));
      const began = performance.now();
      const ordered = sort ? texts.toSorted((a, b) => b.length - a.length) : texts;
      for (let at = 0; at < ordered.length; at += batch) await classify(mode, ordered.slice(at, at + batch));
      return (texts.length * 1000) / (performance.now() - began);
    },
    /** Median milliseconds of one text at a time. */
    async latency({ mode, count }: { mode: string; count: number }) {
      const times: number[] = [];
      for (const text of all.slice(0, count)) {
        const before = performance.now();
        await classify(mode, [text]);
        times.push(performance.now() - before);
      }
      return median(times);
    },
    /** Likeliest label of each text. */
    async labels({ mode, count }: { mode: string; count: number }) {
      const out: string[] = [];
      for (const text of all.slice(0, count)) out.push((await pipelines.get(mode)?.(text))?.[0]?.label ?? "");
      return out;
    },
  },
);
