// Training and finishing: from rows to a detector folder with calibration, threshold, int8 weights, scorecard and card.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  benignLabel,
  finishDetector,
  labels,
  readManifest,
  teach,
  trainLinear,
  trainTransformer,
  type TrainConfig,
  saveLinear,
} from "@mlsec/engine";
import type { GroupedRow } from "../data/split.ts";
import { type ChildResult, type ChildSpec, outFolder, type Tell } from "./messages.ts";
import type { PreparedRows } from "./prepare.ts";

/** Of the training rows, the share that picks the best epoch. */
const pickShare = 0.08;
const tellEveryMs = 100;

const toRow = ({ text, label, lang, source, groupNumber }: GroupedRow) => ({
  text,
  label,
  group: groupNumber,
  ...(lang === undefined ? {} : { lang }),
  ...(source === undefined ? {} : { source }),
});

export async function fit(
  folder: string,
  spec: ChildSpec,
  rows: PreparedRows,
  signal: AbortSignal,
  tell: Tell,
): Promise<Pick<ChildResult, "losses" | "scorecard">> {
  const out = path.join(folder, outFolder);
  await mkdir(out, { recursive: true });
  const losses =
    spec.kind === "linear"
      ? await fitLinear(out, spec, rows, signal, tell)
      : await fitTransformer(folder, out, spec, rows, signal, tell);
  tell({
    type: "log",
    level: "info",
    message: `trained: ${losses.length} updates, last loss ${losses.at(-1)?.toFixed(4) ?? "unknown"}`,
  });
  const shares: Readonly<Record<string, readonly [number, number]>> = {
    quantising: [0, 0.05],
    parity: [0.05, 0.1],
    calibrating: [0.1, 0.6],
    evaluating: [0.6, 0.7],
    writing: [0.7, 0.7],
  };
  const scorecard = await finishDetector(out, rows.held.map(toRow), {
    name: spec.name,
    fpr: spec.settings.threshold_fpr,
    seed: spec.settings.seed,
    threads: spec.threads,
    createdAt: spec.createdAt,
    ...(spec.base === undefined ? {} : { base: spec.base }),
    trainedOn: { uri: spec.data.uri, rows: rows.train.length, heldOut: rows.held.length },
    facts: {
      data: [
        `${spec.data.uri}: ${rows.train.length} rows to train on, ${rows.held.length} held out by near-duplicate group`,
      ],
      recipe: [`settings ${JSON.stringify(spec.settings)}`],
      seed: spec.settings.seed,
    },
    signal,
    onProgress: (phase, done, total) => {
      const [from, to] = shares[phase] ?? [0, 0];
      tell({ type: "progress", phase: "evaluating", share: from + ((to - from) * done) / Math.max(1, total) });
    },
  });
  tell({
    type: "log",
    level: "info",
    message: `finished: threshold ${scorecard.threshold.toPrecision(4)} at a false-positive rate of ${spec.settings.threshold_fpr} on held-out rows`,
  });
  return { losses, scorecard: { ...scorecard } };
}

async function fitTransformer(
  folder: string,
  out: string,
  spec: ChildSpec,
  rows: PreparedRows,
  signal: AbortSignal,
  tell: Tell,
): Promise<readonly number[]> {
  const { settings } = spec;
  const teller = createTeller(tell);
  const result = await trainTransformer({
    base: spec.baseFolder ?? "",
    out,
    rows: spec.teacher
      ? await taught(folder, spec.teacher, rows, { signal, tell, threads: spec.threads })
      : rows.train.map(toRow),
    config: trainConfig(spec, rows.train.length),
    checkpointDir: path.join(folder, "checkpoint"),
    // A few seconds of work: about 400 rows.
    checkpointEverySteps: Math.min(100, Math.max(5, Math.round(400 / settings.batch_size))),
    threads: spec.threads,
    signal,
    onProgress: (p) => {
      if (p.phase === "training")
        teller.step(p.step, p.loss, { totalSteps: p.totalSteps, epoch: p.epoch, rowsPerSecond: p.rowsPerSecond });
      if (p.metrics) {
        const { loss, accuracy, macroF1 } = p.metrics;
        tell({
          type: "metrics",
          step: p.step,
          metrics: { eval_loss: loss, eval_accuracy: accuracy, eval_f1: macroF1 },
        });
        tell({
          type: "log",
          level: "info",
          message: `step ${p.step} of ${p.totalSteps}: loss ${p.loss.toFixed(4)}, evaluation loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}, macro F1 ${macroF1.toFixed(4)}`,
        });
      }
    },
  });
  teller.flush();
  tell({ type: "log", level: "info", message: `products ran in ${result.precision}` });
  return result.losses;
}

/** The rows with the teacher's probabilities; kept in the job folder, so that a resumed job learns from the same ones. */
async function taught(
  folder: string,
  teacher: NonNullable<ChildSpec["teacher"]>,
  rows: PreparedRows,
  { signal, tell, threads }: { readonly signal: AbortSignal; readonly tell: Tell; readonly threads: number },
) {
  const file = path.join(folder, "teacher.json");
  const before = await readFile(file, "utf8").catch(() => undefined);
  let soft = before === undefined ? undefined : (JSON.parse(before) as number[][]);
  if (soft === undefined) {
    const { precision, windowTokens } = await readManifest(teacher.folder);
    const answers = await teach(
      teacher.folder,
      rows.train.map(({ text }) => text),
      { labels, benignLabel, precision, windowTokens, threads, signal },
    );
    soft = answers.map((values) => [...values]);
    await writeFile(`${file}.tmp`, JSON.stringify(soft), { flush: true });
    await rename(`${file}.tmp`, file);
    tell({ type: "log", level: "info", message: `version ${teacher.version} of the teacher read ${soft.length} rows` });
  }
  const known = soft;
  return rows.train.map((row, i) => ({ ...toRow(row), ...(known[i] && { soft: known[i] }) }));
}

function trainConfig({ settings }: ChildSpec, rows: number): Partial<TrainConfig> {
  const steps = Math.max(1, Math.round((settings.epochs * rows * (1 - pickShare)) / settings.batch_size));
  return {
    epochs: settings.epochs,
    learningRate: settings.learning_rate,
    batchSize: settings.batch_size,
    maxLength: settings.max_length,
    warmupRatio:
      settings.warmup_steps === undefined ? settings.warmup_ratio : Math.min(1, settings.warmup_steps / steps),
    weightDecay: settings.weight_decay,
    maxGradNorm: settings.max_grad_norm,
    schedule: settings.lr_scheduler,
    dropout: settings.dropout,
    labelSmoothing: settings.label_smoothing,
    classWeights: settings.class_weights ? "balanced" : "none",
    patience: settings.early_stopping ? settings.patience : 0,
    metricForBest: settings.metric_for_best_model === "f1" ? "macroF1" : settings.metric_for_best_model,
    evalFraction: pickShare,
    freezeEmbeddings: settings.freeze_embeddings,
    freezeLayers: settings.freeze_layers,
    precision: settings.precision,
    lora: settings.lora,
    adversarial: settings.adversarial,
    seed: settings.seed,
  };
}

/** Steps come many a second; the parent hears of them in bundles. */
function createTeller(tell: Tell) {
  let pending: [number, number][] = [];
  let last: { step: number; totalSteps: number; epoch: number; rowsPerSecond: number } | undefined;
  let toldAt = 0;
  const flush = (): void => {
    if (!last) return;
    tell({
      type: "progress",
      phase: "training",
      share: last.step / Math.max(1, last.totalSteps),
      ...last,
      losses: pending,
    });
    pending = [];
    toldAt = performance.now();
  };
  return {
    flush,
    step(step: number, loss: number, now: { totalSteps: number; epoch: number; rowsPerSecond: number }): void {
      last = { step, ...now };
      pending.push([step, loss]);
      if (performance.now() - toldAt >= tellEveryMs || step === now.totalSteps) flush();
    },
  };
}

async function fitLinear(
  out: string,
  { settings }: ChildSpec,
  rows: PreparedRows,
  signal: AbortSignal,
  tell: Tell,
): Promise<readonly number[]> {
  // Its learning rate and decay are not those of a transformer, so only what means the same is taken over.
  const epochs = Math.max(1, Math.round(settings.epochs));
  let told = -1;
  const { model, losses } = await trainLinear(
    rows.train.map(({ text, label }) => ({ text, label })),
    { epochs, seed: settings.seed, balance: settings.class_weights ? 1 : 0.5 },
    {
      signal,
      onProgress: ({ phase, done, total, epoch, loss }) => {
        if (phase === "preparing") return;
        const share = (epoch + done / total) / epochs;
        const isEnd = done === total && epoch !== told;
        if (isEnd) told = epoch;
        tell({
          type: "progress",
          phase: "training",
          share,
          step: epoch + (done === total ? 1 : 0),
          totalSteps: epochs,
          epoch: epoch + done / total,
          ...(isEnd ? { losses: [[epoch + 1, loss]] } : {}),
        });
      },
    },
  );
  await saveLinear(out, model);
  return losses;
}
