/**
 * Texts tokenised a second, with offsets, beside @huggingface/tokenizers (ids only) on the same texts in the same run.
 * Command: node bench/tokenizer.ts [--data data/training] [--base FOLDER …] [--seconds 3]. The last line is JSON.
 */
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { Tokenizer as Peer } from "@huggingface/tokenizers";
import { loadTokenizer } from "../packages/engine/src/tokenizers/folder.ts";
import { readRows } from "../scripts/read-rows.ts";

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "data/training" },
    // WordPiece of 30,522 tokens; byte-level BPE of 1,200; Unigram of 1,500
    base: {
      type: "string",
      multiple: true,
      default: [
        "models/minilm-l6",
        "packages/engine/fixtures/parity/roberta",
        "packages/engine/fixtures/parity/deberta-v3",
      ],
    },
    seconds: { type: "string", default: "3" },
  },
});
const texts = (await readRows([values.data])).map(({ text }) => text).filter((text) => text.length <= 200);
console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, Node ${process.version}`);
const results: object[] = [];
for (const base of values.base) results.push(await compare(base));
console.log(JSON.stringify({ name: "tokenizer", texts: texts.length, results }));

/** Best of five rounds each, taking turns. */
async function compare(base: string): Promise<object> {
  const ours = await loadTokenizer(base);
  const [json, config] = await Promise.all(
    ["tokenizer.json", "tokenizer_config.json"].map(async (file) =>
      JSON.parse(await readFile(`${base}/${file}`, "utf8")),
    ),
  );
  const peer = new Peer(json, config);
  const model = (json as { model: { type: string } }).model.type;
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
  console.log(`${model}, ${base}: ${texts.length} texts of at most 200 characters, ${different} with other ids`);
  console.log(
    `  ours ${Math.round(oursBest)} texts/s with offsets; @huggingface/tokenizers ${Math.round(peerBest)} texts/s`,
  );
  return { model, base, ours: oursBest, peer: peerBest, ratio: oursBest / peerBest, different };
}

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
