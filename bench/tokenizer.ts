/**
 * Texts tokenised a second, with offsets, beside @huggingface/tokenizers (ids only) on the same texts in the same run.
 * Command: node bench/tokenizer.ts [--data data/training] [--seconds 3]. The last line is JSON.
 */
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { Tokenizer as Peer } from "@huggingface/tokenizers";
import { loadTokenizer } from "../packages/engine/src/index.ts";
import { readRows } from "../scripts/read-rows.ts";

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "data/training" },
    base: { type: "string", default: "models/minilm-l6" },
    seconds: { type: "string", default: "3" },
  },
});
const texts = (await readRows([values.data])).map(({ text }) => text).filter((text) => text.length <= 200);
const ours = await loadTokenizer(values.base);
const [json, config] = await Promise.all(
  ["tokenizer.json", "tokenizer_config.json"].map(async (file) =>
    JSON.parse(await readFile(`${values.base}/${file}`, "utf8")),
  ),
);
const peer = new Peer(json, config);

let different = 0;
for (const text of texts) {
  if (Array.from(ours.encode(text).ids).join() !== peer.encode(text).ids.join()) different += 1;
}
const rates = { ours: [0], peer: [0] };
for (let round = 0; round < 5; round++) {
  rates.ours.push(rate((text) => ours.encode(text)));
  rates.peer.push(rate((text) => peer.encode(text)));
}
const [oursBest, peerBest] = [Math.max(...rates.ours), Math.max(...rates.peer)];
console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.version}`);
console.log(`${texts.length} texts of at most 200 characters, ${different} with other ids than the peer's`);
console.log(
  `ours ${Math.round(oursBest)} texts/s with offsets; @huggingface/tokenizers ${Math.round(peerBest)} texts/s`,
);
console.log(
  JSON.stringify({ name: "tokenizer", ours: oursBest, peer: peerBest, ratio: oursBest / peerBest, different }),
);

/** Texts a second over a tenth of the time asked for. */
function rate(encode: (text: string) => unknown): number {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < Number(values.seconds) * 100) {
    for (const text of texts) encode(text);
    count += texts.length;
  }
  return (count * 1000) / (performance.now() - start);
}
