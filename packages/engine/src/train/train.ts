/** Trains a transformer classifier from a pretrained folder: the one entry point. Resumable, cancellable, seeded. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { EngineError } from "../error.ts";
import { readModelConfig } from "../models/registry.ts";
import type { ModelDescription } from "../models/architecture.ts";
import { readTokenizerFolder } from "../tokenizers/folder.ts";
import { loadTokenizer } from "../tokenizers/folder.ts";
import { contentRoom, type EncodedRow, planEpoch, type Specials, windowLength } from "./batch.ts";
import { type CheckpointPlace, loadCheckpoint, saveCheckpoint, type TrainState } from "./checkpoint.ts";
import { learningRateAt, resolveTrainConfig, type TrainConfig } from "./config.ts";
import { createDropoutPool } from "./dropout.ts";
import { openEncoder } from "./encoder.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { tellingWindows } from "./evidence.ts";
import { addLora, foldLora, isLora, type Lora } from "./lora.ts";
import { trainingBytes } from "./memory.ts";
import { createOptimiser } from "./optimiser.ts";
import { loadParameters, type Parameters, saveParameters, wordTableOf } from "./parameters.ts";
import { choosePrecision, type Precision } from "./precision.ts";
import { encodeRows, labelWeights, splitByGroup, type TrainRow } from "./rows.ts";
import { type Update, update } from "./update.ts";

/** State of a run, reported at every update. */
export interface TrainProgress {
  readonly phase: "preparing" | "training" | "evaluating" | "finishing";
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  readonly totalEpochs: number;
  readonly loss: number;
  readonly learningRate: number;
  readonly rowsPerSecond: number;
  readonly metrics?: Evaluation["metrics"];
  /** Upper bound of the process's memory, stated in the phase "preparing". */
  readonly memoryBytes?: number;
}

/** What to train, on what, and where to. */
export interface TrainOptions {
  /** Folder of the pretrained model: config.json, model.safetensors, tokenizer files. */
  readonly base: string;
  /** Folder to write; made when missing. */
  readonly out: string;
  readonly rows: readonly TrainRow[];
  /** Rows to evaluate on; without them `evalFraction` of the groups is held out. */
  readonly evalRows?: readonly TrainRow[];
  readonly config?: Partial<TrainConfig>;
  /** With it the run resumes where it was killed. */
  readonly checkpointDir?: string;
  readonly checkpointEverySteps?: number;
  readonly onProgress?: (progress: TrainProgress) => void;
  readonly signal?: AbortSignal;
  /** Threads of ONNX Runtime; its own choice by default. */
  readonly threads?: number;
  /** Refuse to start when the bound on memory exceeds this. */
  readonly memoryLimitBytes?: number;
}

/** What came out. */
export interface TrainResult {
  readonly outFolder: string;
  /** Training loss of every update. */
  readonly losses: readonly number[];
  /** Logits (windows, labels) of the held-out rows, by the weights that were saved. */
  readonly evalLogits: Float32Array;
  /** Index of each window's row: into `evalRows` when given, else into `rows`. */
  readonly evalRows: readonly number[];
  readonly metrics: Evaluation["metrics"];
  /** The update whose weights were saved. */
  readonly bestStep: number;
  /** What the encoder's products ran in. */
  readonly precision: Precision;
}

/** Everything a run holds. */
interface Run extends Update {
  readonly config: TrainConfig & { readonly precision: Precision };
  readonly model: ModelDescription;
  readonly parameters: Parameters;
  readonly lora: Lora | undefined;
  readonly heldOut: readonly EncodedRow[];
  readonly heldIndices: readonly number[];
  readonly batchesPerEpoch: number;
}

/**
 * Fine-tunes a model and writes it in Hugging Face form (config.json, model.safetensors in fp16, tokenizer files).
 * @throws EngineError CONFIG, DATA, WEIGHTS or TOKENIZER for unusable input or too little memory, DIVERGED when the loss is not finite or
 *   explodes, CANCELLED when `signal` fires.
 * @example
 * const { metrics } = await trainTransformer({ base: "models/minilm-l6", out: "my-detector", rows });
 */
export async function trainTransformer(options: TrainOptions): Promise<TrainResult> {
  const run = await prepare(options);
  const place: CheckpointPlace | undefined =
    options.checkpointDir === undefined
      ? undefined
      : {
          folder: options.checkpointDir,
          fingerprint: fingerprint(options, run),
          parameters: run.parameters,
          moments: run.optimiser.moments,
        };
  try {
    const resumed = place && (await loadCheckpoint(place));
    const state: TrainState = resumed ?? { step: 0, losses: [], best: undefined, stale: 0 };
    const memoryBytes = trainingBytes(run.model.config, run.config, run.parameters);
    report(options, run, state, { phase: "preparing", memoryBytes });
    const last = await trainLoop(run, state, options, place);
    report(options, run, state, { phase: "finishing" });
    const restored = restoreBest(run, state);
    const evaluation = last && !restored ? last : await evaluateHeldOut(run, options);
    if (run.lora) foldLora(run.parameters, run.lora);
    await writeModel(options, run);
    return {
      outFolder: options.out,
      losses: state.losses,
      evalLogits: evaluation.logits,
      evalRows: evaluation.rows.map((row) => run.heldIndices[row] ?? row),
      metrics: evaluation.metrics,
      bestStep: restored ? (state.best?.step ?? state.step) : state.step,
      precision: run.config.precision,
    };
  } catch (error) {
    if (!options.signal?.aborted || error instanceof EngineError) throw error;
    throw new EngineError("CANCELLED", "training was cancelled", {}, { cause: error });
  } finally {
    await run.sessions.release();
  }
}

async function prepare(options: TrainOptions): Promise<Run> {
  const wished = resolveTrainConfig(options.config ?? {});
  const { checkpointDir, threads = 0 } = options;
  const base = await readModelConfig(options.base);
  const multiLabel = wished.multiLabel ?? base.config.multiLabel;
  const precision = await choosePrecision(wished.precision, { checkpointDir, threads });
  const config = { ...wished, multiLabel, precision };
  const model: ModelDescription = { ...base, config: { ...base.config, labels: config.labels, multiLabel } };
  if (config.maxLength > model.config.maxTokens) {
    const details = { where: "maxLength", expected: `at most ${model.config.maxTokens}`, got: config.maxLength };
    throw new EngineError("CONFIG", "maxLength exceeds the positions of the base model", details);
  }
  const tokenizer = await loadTokenizer(options.base);
  const { prefixIds: prefix, suffixIds: suffix } = tokenizer;
  const specials: Specials = { prefix, suffix, padId: model.config.padId };
  const { evalFraction: fraction, maxEvalRows: most, seed } = config;
  const all = options.rows.map((_, i) => i);
  const split = options.evalRows
    ? { train: all, held: options.evalRows.map((_, i) => i) }
    : splitByGroup(options.rows, { fraction, most, seed });
  const encode = (source: readonly TrainRow[], indices: readonly number[]): EncodedRow[] =>
    encodeRows(
      indices.flatMap((i) => source[i] ?? []),
      tokenizer,
      config,
    );
  const rows = encode(options.rows, split.train);
  if (rows.length === 0) throw new EngineError("DATA", "no rows to train on", { expected: "at least 1", got: 0 });
  const parameters = await loadParameters(options.base, model, seed);
  refuseLargeRun(trainingBytes(model.config, config, parameters), options.memoryLimitBytes);
  const lora = config.lora ? addLora(parameters, model, { ...config.lora, seed }) : undefined;
  const isDistilled = rows.some(({ soft }) => soft !== undefined);
  const sessions = await openEncoder(model, parameters, {
    rates: { hidden: config.dropout, attention: config.attentionDropout, head: config.dropout },
    isTrainable: (name) => isTrainable(parameters, config, name),
    threads,
    lora,
    int8: { float32: undefined, "int8-gradients": "gradients", int8: "all" }[config.precision] as
      | "gradients"
      | "all"
      | undefined,
    wordGradients: config.adversarial !== null,
    ...(isDistilled && { distillation: { temperature: config.distillation.temperature } }),
  });
  const decayOf = (name: string): number => (isDecayed(parameters, name) ? config.weightDecay : 0);
  const batchesPerEpoch = Math.ceil(rows.length / config.batchSize);
  return {
    config,
    model,
    parameters,
    lora,
    sessions,
    wordTable: wordTableOf(model),
    optimiser: createOptimiser(parameters, sessions.trainable, { ...config, decayOf }),
    masks: createDropoutPool(seed),
    specials,
    rows,
    heldOut: encode(options.evalRows ?? options.rows, split.held),
    heldIndices: split.held,
    starts: tellingWindows(rows, contentRoom(specials, config.maxLength)),
    lengths: Int32Array.from(rows, (row) => windowLength(row, specials, config.maxLength)),
    weights: labelWeights(rows, config),
    batchesPerEpoch,
    totalSteps: Math.max(1, Math.round(config.epochs * batchesPerEpoch)),
  };
}

function refuseLargeRun(bound: number, limit: number | undefined): void {
  if (limit === undefined || bound <= limit) return;
  const details = { where: "memoryLimitBytes", expected: `at most ${limit} bytes`, got: bound };
  throw new EngineError(
    "CONFIG",
    "training may need more memory than allowed: lower tokenBudget or maxLength",
    details,
  );
}

/** Runs updates until the end or an early stop; returns the evaluation of the last update, if that was evaluated. */
async function trainLoop(
  run: Run,
  state: TrainState,
  options: TrainOptions,
  place: CheckpointPlace | undefined,
): Promise<Evaluation | undefined> {
  const { config, totalSteps, batchesPerEpoch } = run;
  const every = options.checkpointEverySteps ?? 200;
  const evaluateEvery = Math.max(1, Math.floor(batchesPerEpoch / Math.max(1, config.evaluationsPerEpoch)));
  const started = performance.now();
  let rowsDone = 0;
  let epoch = -1;
  let batches: number[][] = [];
  let evaluation: Evaluation | undefined;
  while (state.step < totalSteps && !(config.patience > 0 && state.stale >= config.patience)) {
    options.signal?.throwIfAborted();
    if (epoch !== Math.floor(state.step / batchesPerEpoch)) {
      epoch = Math.floor(state.step / batchesPerEpoch);
      batches = planEpoch(run.lengths, config, epoch);
    }
    const batch = batches[state.step % batchesPerEpoch] ?? [];
    const loss = await update(run, batch, { step: state.step, epoch });
    refuseDivergence(run, state, loss);
    state.losses.push(loss);
    state.step += 1;
    rowsDone += batch.length;
    const rowsPerSecond = (rowsDone * 1000) / (performance.now() - started);
    report(options, run, state, { phase: "training", rowsPerSecond });
    evaluation = undefined;
    const isLast = state.step === totalSteps;
    if (run.heldOut.length > 0 && (isLast || (config.evaluationsPerEpoch > 0 && state.step % evaluateEvery === 0))) {
      evaluation = await evaluateHeldOut(run, options);
      keepBest(run, state, evaluation);
      report(options, run, state, { phase: "evaluating", rowsPerSecond, metrics: evaluation.metrics });
    }
    if (place !== undefined && (isLast || state.step % every === 0)) await saveCheckpoint(state, place);
    await setImmediate(); // lets messages and signals in: a run of the graph blocks this thread
  }
  return evaluation;
}

/** A loss that is not finite, or ten times what guessing costs and what training began with. */
function refuseDivergence(run: Run, state: TrainState, loss: number): void {
  const limit = 10 * Math.max(Math.log(run.config.labels.length), state.losses[0] ?? 0);
  if (Number.isFinite(loss) && loss <= limit) return;
  const details = { where: `step ${state.step + 1}`, expected: `a loss below ${limit.toFixed(2)}`, got: loss };
  throw new EngineError("DIVERGED", "the loss exploded: lower the learning rate", details);
}

function evaluateHeldOut(run: Run, options: TrainOptions): Promise<Evaluation> {
  return evaluate(run.heldOut, { ...run, signal: options.signal });
}

/** Remembers the weights of the best evaluation. */
function keepBest(run: Run, state: TrainState, evaluation: Evaluation): void {
  const value = evaluation.metrics[run.config.metricForBest];
  const score = run.config.metricForBest === "loss" ? value : -value;
  if (state.best !== undefined && score >= state.best.score) {
    state.stale += 1;
    return;
  }
  const names = run.sessions.trainable;
  const weights = new Map(names.map((name) => [name, Float32Array.from(run.parameters.get(name)?.data ?? [])]));
  state.best = { step: state.step, score, weights };
  state.stale = 0;
}

/** Puts the best weights back; false when the current ones are the best. */
function restoreBest(run: Run, state: TrainState): boolean {
  if (state.best === undefined || state.best.step === state.step) return false;
  for (const [name, data] of state.best.weights) run.parameters.get(name)?.data.set(data);
  return true;
}

function report(
  options: TrainOptions,
  run: Run,
  state: TrainState,
  now: Pick<TrainProgress, "phase"> & Partial<TrainProgress>,
): void {
  options.onProgress?.({
    step: state.step,
    totalSteps: run.totalSteps,
    epoch: state.step / run.batchesPerEpoch,
    totalEpochs: run.config.epochs,
    loss: state.losses.at(-1) ?? Number.NaN,
    learningRate: learningRateAt(run.config, state.step, run.totalSteps),
    rowsPerSecond: 0,
    ...now,
  });
}

/** Decoupled decay spares biases and normalisations: everything with one dimension. */
function isDecayed(parameters: Parameters, name: string): boolean {
  return (parameters.get(name)?.spec.shape.length ?? 0) > 1;
}

function isTrainable(parameters: Parameters, config: TrainConfig, name: string): boolean {
  const layer = parameters.get(name)?.spec.layer;
  if (layer === undefined) return true;
  if (config.lora !== null) return isLora(name) && layer >= config.freezeLayers;
  return layer < 0 ? !config.freezeEmbeddings : layer >= config.freezeLayers;
}

/** Rows, base and settings of a run, so that a checkpoint is not resumed by another. */
function fingerprint(options: TrainOptions, run: Run): string {
  const hash = createHash("sha256").update(JSON.stringify([run.config, run.model.config]));
  for (const { ids, label, labels } of run.rows)
    hash.update(`${labels?.join() ?? label}:`).update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
  return hash.update(options.base).digest("hex");
}

/** Writes the Hugging Face folder; config.json last, so that a folder with one is complete. */
async function writeModel(options: TrainOptions, run: Run): Promise<void> {
  await mkdir(options.out, { recursive: true });
  await saveParameters(options.out, run.parameters, "F16");
  for (const file of ["tokenizer.json", "tokenizer_config.json", "vocab.txt"]) {
    const exists = await copyFile(join(options.base, file), join(options.out, file)).then(
      () => true,
      () => false,
    );
    if (exists || file !== "tokenizer.json") continue;
    const { json: tokenizer } = await readTokenizerFolder(options.base); // made of the files that the base has instead
    await writeFile(join(options.out, file), JSON.stringify(tokenizer));
  }
  const json = run.model.architecture.writeConfig(run.model.config);
  const temporary = join(options.out, "config.json.tmp");
  await writeFile(temporary, `${JSON.stringify(json, null, 2)}\n`);
  await rename(temporary, join(options.out, "config.json"));
}
