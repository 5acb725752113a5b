/**
 * How far this engine is from an original implementation: token ids, offsets, logits of the training and the serving
 * graph, gradients and AdamW losses, against the outputs that a reference folder recorded.
 */
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { createSession } from "../infer/session.ts";
import { readModelConfig } from "../models/registry.ts";
import type { ModelDescription } from "../models/architecture.ts";
import { utf16ToCodePoint } from "../tokenizers/offsets.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { loadTokenizer } from "../tokenizers/folder.ts";
import { readSafetensors } from "../weights/safetensors-file.ts";
import { padBatch, type TokenBatch } from "./batch.ts";
import { createDropoutPool } from "./dropout.ts";
import { type EncoderSessions, openEncoder, type StepInputs, type StepResult } from "./encoder.ts";
import { createOptimiser } from "./optimiser.ts";
import { loadParameters, type Parameters } from "./parameters.ts";
import { type Reference, readReference, referenceTokens } from "./reference.ts";

/** Largest differences that count as agreement; ids and offsets must be identical. */
export const referenceLimits = { logits: 1e-4, gradients: 1e-3, losses: 1e-4 } as const;

/** What a comparison found. A difference of NaN means that something was not a number; it never agrees. */
export interface ReferenceReport {
  readonly modelType: string;
  readonly texts: number;
  /** Token ids that differ, missing and surplus ones included. */
  readonly differingIds: number;
  /** Token spans that differ. */
  readonly differingOffsets: number;
  /** Largest absolute difference, over both graphs, alone and in a batch. */
  readonly logits: number;
  /** Largest relative difference over all parameters. */
  readonly gradients: number;
  /** The parameter it belongs to. */
  readonly worstGradient: string;
  /** Largest absolute difference of the batch loss and of the losses of the AdamW steps. */
  readonly losses: number;
  readonly agrees: boolean;
}

/**
 * Compares a folder that holds a model and the outputs of its original implementation (`expected.json`,
 * `gradients.safetensors`).
 * @throws EngineError DATA when the folder is no such folder; CONFIG, WEIGHTS or TOKENIZER when its model is damaged.
 * @example
 * const { agrees, logits } = await compareWithReference("fixtures/parity/bert");
 */
export async function compareWithReference(folder: string): Promise<ReferenceReport> {
  const reference = await readReference(folder);
  const model = await readModelConfig(folder);
  const expected = await readGradients(folder);
  const { differingIds, differingOffsets } = compareTokens(await loadTokenizer(folder), reference);
  const parameters = await loadParameters(folder, model, 0);
  const rates = { hidden: 0, attention: 0, head: 0 };
  const sessions = await openEncoder(model, parameters, { rates, isTrainable: () => true, threads: 1 });
  try {
    const batch = batchOf(reference, model.config.padId);
    const inputs = inputsOf(reference, model);
    const step = await sessions.step(batch, inputs);
    const logits = Math.max(
      await trainingLogits(sessions, reference, model.config.padId),
      await servingLogits(folder, reference),
      largestDifference(step.logits, reference.batch.logits.flat()),
    );
    const { error: gradients, name: worstGradient } = compareGradients(step, expected, parameters);
    const losses = Math.max(
      Math.abs(step.loss - reference.batch.loss),
      await adamwLosses(sessions, parameters, reference, { batch, inputs }),
    );
    const areSame = differingIds === 0 && differingOffsets === 0;
    const { logits: l, gradients: g, losses: s } = referenceLimits;
    const agrees = areSame && logits <= l && gradients <= g && losses <= s;
    const texts = reference.texts.length;
    const differences = { differingIds, differingOffsets, logits, gradients, worstGradient, losses };
    return { modelType: model.config.modelType, texts, ...differences, agrees };
  } finally {
    await sessions.release();
  }
}

async function readGradients(folder: string): Promise<Map<string, Float32Array>> {
  const where = join(folder, "gradients.safetensors");
  const file = await readSafetensors(where).catch((cause: unknown) => {
    const message = `${folder} is no reference folder: gradients.safetensors cannot be read`;
    throw new EngineError("DATA", message, { where }, { cause });
  });
  return new Map([...file.tensors].map(([name, tensor]) => [name, tensor.toFloat32()]));
}

/** Cut to `referenceTokens`, specials kept. */
function compareTokens(tokenizer: Tokenizer, { texts }: Reference) {
  const behind = tokenizer.suffixIds.length;
  let [differingIds, differingOffsets] = [0, 0];
  for (const { text, input_ids: ids, full_length: fullLength, offsets } of texts) {
    const encoding = tokenizer.encode(text);
    const total = encoding.ids.length;
    const cut = Math.max(0, total - referenceTokens);
    const toCodePoint = utf16ToCodePoint(text);
    differingIds += Math.abs(total - fullLength);
    for (let i = 0; i < Math.max(ids.length, total - cut); i++) {
      const at = i < total - cut - behind ? i : i + cut;
      if (encoding.ids[at] !== ids[i]) differingIds++;
      const [start, end] = offsets[i] ?? [];
      const [ours, oursEnd] = [encoding.starts[at], encoding.ends[at]];
      const isSame = ours !== undefined && toCodePoint(ours) === start && toCodePoint(oursEnd ?? 0) === end;
      if (!isSame) differingOffsets++;
    }
  }
  return { differingIds, differingOffsets };
}

/** The recorded batch without its padding, padded again. */
function batchOf({ batch }: Reference, padId: number): TokenBatch {
  const rows = rowsOf(batch);
  return padBatch(
    rows,
    rows.map((_, i) => i),
    padId,
  );
}

const rowsOf = ({ input_ids: ids, attention_mask: mask }: Reference["batch"]): Int32Array[] =>
  ids.map((row, i) => Int32Array.from(row.slice(0, mask[i]?.indexOf(0) === -1 ? row.length : mask[i]?.indexOf(0))));

/** Targets of the mean loss: over rows, or over rows and labels where these are independent. */
function inputsOf({ batch }: Reference, { config }: ModelDescription): StepInputs {
  const classes = config.labels.length;
  const rows = batch.labels.length;
  const share = config.multiLabel ? 1 / (rows * classes) : 1 / rows;
  const targets = new Float32Array(rows * classes);
  for (const [i, label] of batch.labels.entries()) {
    if (typeof label === "number") targets[i * classes + label] = share;
    else for (const [k, truth] of label.entries()) targets[i * classes + k] = share * truth;
  }
  const masks = createDropoutPool(0).at(0, 0);
  return config.multiLabel ? { targets, masks, mass: new Float32Array(rows).fill(share) } : { targets, masks };
}

async function trainingLogits(sessions: EncoderSessions, { texts }: Reference, padId: number): Promise<number> {
  let largest = 0;
  for (const { input_ids: ids, logits } of texts) {
    const got = await sessions.logits(padBatch([Int32Array.from(ids)], [0], padId));
    largest = Math.max(largest, largestDifference(got, logits));
  }
  return largest;
}

/** Every text alone and in company, and the batch. */
async function servingLogits(folder: string, { texts, batch }: Reference): Promise<number> {
  const session = await createSession(folder, { precision: "fp32", threads: 1 });
  try {
    const rows = texts.map(({ input_ids: ids }) => Int32Array.from(ids));
    const expected = texts.map(({ logits }) => logits);
    const alone: Float32Array[] = [];
    for (const row of rows) alone.push(...(await session.run([row])));
    const together = await session.run([...rows, ...rowsOf(batch)]);
    const pairs = [...alone, ...together].map((got, i) => ({
      got,
      logits: [...expected, ...expected, ...batch.logits][i] ?? [],
    }));
    return pairs.reduce((largest, { got, logits }) => Math.max(largest, largestDifference(got, logits)), 0);
  } finally {
    await session.release();
  }
}

function largestDifference(got: Float32Array, expected: readonly number[]): number {
  if (got.length !== expected.length) return Number.NaN;
  return expected.reduce((largest, value, i) => Math.max(largest, Math.abs(value - (got[i] ?? Number.NaN))), 0);
}

/** The parameter whose gradient differs most; one that either side lacks counts as zero there. */
function compareGradients(
  step: StepResult,
  expected: ReadonlyMap<string, Float32Array>,
  parameters: Parameters,
): { readonly error: number; readonly name: string } {
  const ours = new Map([...step.gradients, ...wholeTables(step, parameters)]);
  let worst = { error: 0, name: "" };
  for (const name of new Set([...expected.keys(), ...ours.keys()])) {
    const error = relativeDifference(ours.get(name), expected.get(name));
    if (!(error <= worst.error)) worst = { error, name };
    if (Number.isNaN(error)) break;
  }
  return worst;
}

/** Table gradients come as gathered rows; the reference holds the whole table. */
function wholeTables({ rowGradients }: StepResult, parameters: Parameters): Map<string, Float32Array> {
  const out = new Map<string, Float32Array>();
  for (const { table, rows, data } of rowGradients) {
    const [count = 0, width = 0] = parameters.get(table)?.spec.shape ?? [];
    const whole = out.get(table) ?? new Float32Array(count * width);
    out.set(table, whole);
    for (const [i, value] of data.entries()) {
      const at = (rows[Math.floor(i / width)] ?? 0) * width + (i % width);
      whole[at] = (whole[at] ?? 0) + value;
    }
  }
  return out;
}

/** |a - b| / |b| in the Euclidean norm; gradients that vanish in theory (attention key biases) are compared absolutely. */
function relativeDifference(a: Float32Array | undefined, b: Float32Array | undefined): number {
  const length = a?.length ?? b?.length ?? 0;
  if (b !== undefined && b.length !== length) return Number.NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < length; i++) {
    const [ours, theirs] = [a?.[i] ?? 0, b?.[i] ?? 0];
    difference += (ours - theirs) ** 2;
    norm += theirs ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), 1e-3);
}

/** Trains `parameters` by the recorded steps; the largest difference of a loss. */
async function adamwLosses(
  sessions: EncoderSessions,
  parameters: Parameters,
  { adamw }: Reference,
  { batch, inputs }: { readonly batch: TokenBatch; readonly inputs: StepInputs },
): Promise<number> {
  const [beta1 = 0.9, beta2 = 0.999] = adamw.betas ?? [];
  const options = { beta1, beta2, epsilon: adamw.eps ?? 1e-8, maxGradNorm: 0, decayOf: () => adamw.weight_decay };
  const optimiser = createOptimiser(parameters, sessions.trainable, options);
  let largest = 0;
  for (const [i, expected] of adamw.losses.entries()) {
    const { loss, ...gradients } = await sessions.step(batch, inputs);
    largest = Math.max(largest, Math.abs(loss - expected));
    optimiser.add(gradients);
    optimiser.apply(adamw.lr, i + 1);
  }
  return largest;
}
