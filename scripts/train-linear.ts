/** Trains the shipped linear detector: `node scripts/train-linear.ts --data FOLDER [--data FOLDER] --out models/linear`. */
import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { defaultLinearConfig, finishDetector, saveLinear, trainLinear } from "../packages/engine/src/index.ts";
import { type LabelledRow, readRows, splitByGroup } from "./read-rows.ts";

/** Rows that show where the line runs count more: trigger words in harmless sentences, quoted attacks, our own twins. */
const WEIGHTS: Readonly<Record<string, number>> = { trigger_benign: 3, security_docs_quoting: 3, mlsec: 3 };

const { values } = parseArgs({
  options: {
    data: { type: "string", multiple: true, default: ["data/training"] },
    out: { type: "string", default: "models/linear" },
    seed: { type: "string", default: "1" },
    date: { type: "string" },
  },
});
const seed = Number(values.seed);
const rows = await readRows(values.data);
const { training, heldOut } = splitByGroup(rows, seed);
console.log(`${rows.length} rows: ${training.length} to train on, ${heldOut.length} held out by near-duplicate group`);

const started = performance.now();
const { model, losses } = await trainLinear(
  training.map(({ text, label, source }) => ({ text, label, weight: WEIGHTS[source] ?? 1 })),
  { seed },
  {
    onProgress: ({ phase, done, total, epoch, loss }) => {
      if (done === total) console.log(`${phase}: epoch ${epoch + 1}, loss ${loss.toFixed(4)}`);
    },
  },
);
const seconds = (performance.now() - started) / 1000;
await mkdir(values.out, { recursive: true });
await saveLinear(values.out, model);
console.log(`trained in ${seconds.toFixed(0)} s, losses ${losses.map((loss) => loss.toFixed(3)).join(" ")}`);

const { features, windows, epochs, learningRate, priorAttack } = defaultLinearConfig;
const card = await finishDetector(values.out, heldOut, {
  name: "linear",
  fpr: 0.01,
  seed,
  windowTokens: windows.size,
  overlapTokens: windows.overlap,
  trainedOn: { rows: training.length, heldOut: heldOut.length, sources: [...new Set(rows.map((row) => row.source))] },
  ...(values.date ? { createdAt: values.date } : {}),
  facts: {
    data: sourcesOf(rows),
    recipe: [
      `Logistic regression over hashed features: character ${features.minChars}- to ${features.maxChars}-grams and word 1- to ${features.maxWords}-grams in 2^${features.bits} buckets, counts damped by a logarithm, each block scaled to length 1.`,
      `AdaGrad, ${epochs} epochs, rate ${learningRate}, averaged weights, bias fixed at P(attack) ${priorAttack}; ${seconds.toFixed(0)} s on one core of a busy two-core machine.`,
      `Rows that count more: ${Object.entries(WEIGHTS)
        .map(([source, weight]) => `${source} ${weight} times`)
        .join(", ")}.`,
      `Windows of ${windows.size} characters, ${windows.overlap} shared. Of a long attack only its most telling window is learnt.`,
      "Split by near-duplicate group, a fifth held out; half of that fits temperature, length penalty and threshold, the other half gives the figures below.",
    ],
    seed,
    command: `node scripts/train-linear.ts ${values.data.map((folder) => `--data ${folder.startsWith("data/") ? folder : "FOLDER"}`).join(" ")} --out models/linear`,
    license: "MIT (the code and this model; the texts keep their own licences)",
    weaknesses: [
      "It counts letters and words and understands nothing: a paraphrase without the usual words passes.",
      'Harmless sentences that hold whole attack phrases ("the previous instructions on the box say 20 minutes") are flagged.',
      "An ordinary request that is out of place in a document (BIPIA) mostly passes.",
      "Most training attacks are English or Russian; attacks in other languages are found less often.",
      "Jailbreaks in the training data are mostly personas of 2023; gibberish suffixes and persuasion are rare in it.",
      "Use it as a fast first stage or as a member of an ensemble, not alone.",
    ],
  },
});
const triggers = card.slices.source["trigger_benign"];
const show = (rate: { value: number; low: number; high: number } | null | undefined): string =>
  rate
    ? `${(100 * rate.value).toFixed(2)} % (${(100 * rate.low).toFixed(2)}–${(100 * rate.high).toFixed(2)})`
    : "no rows";
console.log(`macro F1 ${show(card.macroF1)} · ROC AUC ${show(card.rocAuc)} · recall at 1 % ${show(card.recallAtFpr)}`);
console.log(
  `detection ${show(card.detectionRate)} · false positives ${show(card.falsePositiveRate)} · ECE ${card.ece.toFixed(4)}`,
);
console.log(
  `benign texts with trigger words: false positives ${show(triggers?.falsePositiveRate)} of ${triggers?.benign ?? 0}`,
);

function sourcesOf(all: readonly LabelledRow[]): string[] {
  const counts = new Map<string, { attacks: number; benign: number }>();
  for (const { source, label } of all) {
    const count = counts.get(source) ?? { attacks: 0, benign: 0 };
    if (label === "benign") count.benign += 1;
    else count.attacks += 1;
    counts.set(source, count);
  }
  return [...counts].map(([source, { attacks, benign }]) => `${source}: ${attacks} attacks, ${benign} benign`);
}
