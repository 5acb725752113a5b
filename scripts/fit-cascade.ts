/**
 * Fits the cascade of a shipped detector and writes `cascade.json` into its folder. Rows that the student was trained
 * on are left out: the split is that of `train-linear.ts`, so give the same folders in the same order.
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
import { halve } from "../packages/engine/src/verdict/calibrate.ts";
import { writeAtomically } from "../packages/engine/src/verdict/manifest.ts";
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

const [heldOutFit, heldOutReport] = await halves(heldOut, "held-out rows");
const [suiteFit, suiteReport] = await halves(suite, "suite");
const band = fitBand([...heldOutFit, ...suiteFit], {
  target,
  kept: Number(values.kept),
  maxChars,
  studentThreshold: student.manifest.threshold,
  alarms: values.alarms,
});
const figures = { heldOut: cascadeFigures(heldOutReport, band), suite: cascadeFigures(suiteReport, band) };
console.log(JSON.stringify({ band, figures }, null, 2));
for (const lower of [0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2]) curve({ ...band, lower });
await speed(band);
if (!values["dry-run"]) await write(band);
await student.release();
await full.release();

/** Both verdicts of every row, half to fit on and half to report on. */
async function halves(of: readonly LabelledRow[], name: string): Promise<[CascadeRow[], CascadeRow[]]> {
  const both: [CascadeRow[], CascadeRow[]] = [[], []];
  for (const [half, part] of halve(of, seed).entries()) {
    for (let from = 0; from < part.length; from += 128) {
      const texts = part.slice(from, from + 128).map(({ text }) => text);
      const [quick, slow] = [await student.verdicts(texts), await full.verdicts(texts)];
      for (const [i, text] of texts.entries()) {
        const [first, second] = [quick[i], slow[i]];
        if (first && second) both[half]?.push({ chars: text.length, student: first, full: second });
      }
    }
  }
  console.log(`${name}: ${both[0].length} rows to fit on, ${both[1].length} to report on`);
  return both;
}

function curve(at: Band): void {
  const show = (of: readonly CascadeRow[]): string => {
    const { share, agreement, sure, kept } = cascadeFigures(of, at);
    const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
    return `answers ${percent(share.value)} and agrees on ${percent(sure.value)} of them, agrees in all ${percent(agreement.value)} (from ${percent(agreement.low)}), keeps ${percent(kept.value)}`;
  };
  console.log(`lower ${at.lower}: held-out ${show(heldOutReport)}; suite ${show(suiteReport)}`);
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
  for (const round of [1, 2, 3]) {
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
