/**
 * Fits the cascade of a shipped detector and writes `cascade.json` into its folder: on held-out rows, the suite, and a
 * campaign of attacks and twins in every disguise. Rows that the student was trained on are left out: the split is that
 * of `train-linear.ts`, so give the same folders in the same order.
 * Command: node scripts/fit-cascade.ts --data FOLDER --data data/training --full models/distilbert --student models/linear
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  type Band,
  cascadeFigures,
  cascadeFile,
  type CascadeRow,
  type CascadeSpec,
  checksums,
  createCascade,
  type Detector,
  fitBand,
  isSure,
  memberOf,
  openDetector,
  writeManifest,
} from "../packages/engine/src/index.ts";
import { generateCampaign, loadMutators } from "../packages/attacks/src/index.ts";
import { halve } from "../packages/engine/src/verdict/calibrate.ts";
import { writeAtomically } from "../packages/engine/src/verdict/manifest-file.ts";
import { type LabelledRow, readRows, splitByGroup } from "./read-rows.ts";

const { values } = parseArgs({
  options: {
    data: { type: "string", multiple: true, default: ["data/training"] },
    suite: { type: "string", default: "data/suite" },
    full: { type: "string", default: "models/distilbert" },
    student: { type: "string", default: "models/linear" },
    target: { type: "string", default: "0.995" },
    kept: { type: "string", default: "0.99" },
    // The student may raise alarms too; without it every alarm is the full detector's.
    alarms: { type: "boolean", default: false },
    "max-chars": { type: "string", default: "480" },
    seed: { type: "string", default: "1" },
    threads: { type: "string", default: "0" },
    date: { type: "string" },
    // Only the figures and the curve; nothing is written.
    "dry-run": { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const target = Number(values.target);
const maxChars = Number(values["max-chars"]);

const student = await openDetector(values.student);
const full = await openDetector(values.full, { threads: Number(values.threads), maxQueue: Number.MAX_SAFE_INTEGER });

const rows = await readRows(values.data);
const { training, heldOut } = splitByGroup(rows, seed);
const trainedOn = Number(student.manifest.trainedOn?.["rows"]);
if (training.length !== trainedOn)
  console.warn(
    `the student was trained on ${trainedOn} rows, this split has ${training.length}: it may have seen some`,
  );
const suite: LabelledRow[] = [];
for (const name of (await readdir(values.suite)).filter((file) => file.endsWith(".jsonl")).sort())
  suite.push(
    ...(await readRows([join(values.suite, name)])).map((row) => ({ ...row, group: suite.length + row.group })),
  );

const kinds = { heldOut: await halves(heldOut), suite: await halves(suite), campaign: await halves(await campaign()) };
const band = fitBand(
  Object.values(kinds).flatMap(({ fit }) => fit),
  {
    target,
    kept: Number(values.kept),
    maxChars,
    studentThreshold: student.manifest.threshold,
    alarms: values.alarms,
  },
);
const figures = Object.fromEntries(
  Object.entries(kinds).map(([kind, { report, total }]) => [kind, { ...cascadeFigures(report, band), rows: total }]),
);
console.log(JSON.stringify({ band, figures }, null, 2));
for (const lower of [0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2]) curve({ ...band, lower });
await speed(band);
if (!values["dry-run"]) await write(band);
await student.release();
await full.release();

/** Attacks and their twins, plain and in every disguise; the texts of one pattern are one group. */
async function campaign(): Promise<LabelledRow[]> {
  const mutators = ["none", ...(await loadMutators()).keys()];
  const texts = await generateCampaign({ numAttacks: 1_000, seed, mutators });
  const patterns = [...new Set(texts.map(({ patternId }) => patternId))];
  return texts.map(({ text, label, patternId }) => ({
    text,
    label,
    group: patterns.indexOf(patternId),
    source: "campaign",
    lang: "en",
  }));
}

interface Halves {
  readonly fit: readonly CascadeRow[];
  readonly report: readonly CascadeRow[];
  /** Rows of the reporting half, the ones that are none of the student's business included. */
  readonly total: number;
}

/** Both verdicts of the rows that the student may answer, half to fit on and half to report on. */
async function halves(of: readonly LabelledRow[]): Promise<Halves> {
  const [fit, report] = halve(of, seed);
  return { fit: await bothVerdicts(fit), report: await bothVerdicts(report), total: report.length };
}

async function bothVerdicts(of: readonly LabelledRow[]): Promise<CascadeRow[]> {
  const out: CascadeRow[] = [];
  const short = of.flatMap(({ text }) => (text.length <= maxChars ? [text] : []));
  for (let from = 0; from < short.length; from += 128) {
    const texts = short.slice(from, from + 128);
    const quick = await student.verdicts(texts);
    const open = texts.flatMap((text, i) => (quick[i]?.windows === 1 ? [{ text, first: quick[i] }] : []));
    const slow = await full.verdicts(open.map(({ text }) => text));
    for (const [i, { text, first }] of open.entries()) {
      const second = slow[i];
      if (second) out.push({ chars: text.length, student: first, full: second });
    }
  }
  return out;
}

function curve(at: Band): void {
  const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
  const shown = Object.entries(kinds).map(([kind, { report }]) => {
    const { share, agreement, sure, kept } = cascadeFigures(report, at);
    return `${kind}: answers ${percent(share.value)}, right on ${percent(sure.value)} of them; agrees on ${percent(agreement.value)} (from ${percent(agreement.low)}), keeps ${percent(kept.value)}`;
  });
  console.log([`lower ${at.lower}`, ...shown].join("\n  "));
}

/** Texts per second on the held-out rows that the student may answer, full detector alone and cascade. */
async function speed(at: Band): Promise<void> {
  const texts = halve(heldOut, seed)[1].flatMap(({ text }) => (text.length <= 120 ? [text] : []));
  const rate = async (detector: Detector): Promise<number> => {
    const started = performance.now();
    for (let from = 0; from < texts.length; from += 64) await detector.verdicts(texts.slice(from, from + 64));
    return (1000 * texts.length) / (performance.now() - started);
  };
  const cascade = createCascade({ student, full, band: at });
  for (const round of [1, 2]) {
    const [alone, together] = [await rate(full), await rate(cascade)];
    console.log(`round ${round}: ${alone.toFixed(0)} texts/s alone, ${together.toFixed(0)} with the cascade`);
  }
  const quick = await student.verdicts(texts);
  const share = quick.filter((verdict) => isSure(verdict, at)).length / texts.length;
  console.log(`${texts.length} texts of at most 120 characters, ${(100 * share).toFixed(1)} % answered by the student`);
}

async function write(at: Band): Promise<void> {
  const spec: CascadeSpec = {
    format: 1,
    student: memberOf(student.manifest),
    full: memberOf(full.manifest),
    band: at,
    target,
    figures,
    createdAt: values.date ?? new Date().toISOString(),
  };
  await writeAtomically(join(values.full, cascadeFile), `${JSON.stringify(spec, null, 2)}\n`);
  const files = { ...full.manifest.files, ...(await checksums(values.full, [cascadeFile])) };
  await writeManifest(values.full, { ...full.manifest, files });
}
