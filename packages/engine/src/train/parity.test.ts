// Every architecture against the outputs of its original implementations: the folders of fixtures/parity.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readModelConfig } from "../models/registry.ts";
import { referenceFolders, references } from "../testing/references.ts";
import { readSafetensors } from "../weights/safetensors.ts";
import { padBatch, type TokenBatch } from "./batch.ts";
import { createDropoutPool } from "./dropout.ts";
import { type EncoderSessions, openEncoder, type RowGradients } from "./encoder.ts";
import { createOptimiser } from "./optimiser.ts";
import { loadParameters, type Parameters } from "./parameters.ts";

interface Expected {
  readonly texts: readonly { readonly input_ids: readonly number[]; readonly logits: readonly number[] }[];
  readonly batch: {
    readonly labels: readonly number[];
    readonly input_ids: readonly (readonly number[])[];
    readonly attention_mask: readonly (readonly number[])[];
    readonly logits: readonly (readonly number[])[];
    readonly loss: number;
  };
  readonly adamw: { readonly lr: number; readonly weight_decay: number; readonly losses: readonly number[] };
}

const masks = createDropoutPool(0).at(0, 0);

describe.each(referenceFolders)("%s", (reference) => {
  const folder = join(references, reference);
  let expected: Expected;
  let parameters: Parameters;
  let sessions: EncoderSessions;
  let batch: TokenBatch;
  let padId = 0;
  let targets: Float32Array;

  beforeAll(async () => {
    expected = JSON.parse(await readFile(join(folder, "expected.json"), "utf8"));
    const model = await readModelConfig(folder);
    padId = model.config.padId;
    parameters = await loadParameters(folder, model, 0);
    const rates = { hidden: 0, attention: 0, head: 0 };
    sessions = await openEncoder(model, parameters, { rates, isTrainable: () => true, threads: 1 });
    const { labels, input_ids: ids, attention_mask: mask } = expected.batch;
    const lengths = mask.map((row) => row.reduce((sum, value) => sum + value, 0));
    batch = padBatch(
      ids.map((row, i) => Int32Array.from(row.slice(0, lengths[i]))),
      labels.map((_, i) => i),
      model.config.padId,
    );
    const classes = model.config.labels.length;
    targets = new Float32Array(labels.length * classes);
    for (const [i, label] of labels.entries()) targets[i * classes + label] = 1 / labels.length;
  });
  afterAll(() => sessions.release());

  test("logits of every text", async () => {
    let worst = 0;
    for (const { input_ids: ids, logits } of expected.texts) {
      const got = await sessions.logits(padBatch([Int32Array.from(ids)], [0], padId));
      for (const [i, value] of logits.entries()) worst = Math.max(worst, Math.abs(value - (got[i] ?? Number.NaN)));
    }
    expect(worst).toBeLessThan(1e-4);
  });

  test("loss and gradients of a padded batch", async () => {
    const { loss, logits, gradients, rowGradients } = await sessions.step(batch, { targets, masks });
    expect(loss).toBeCloseTo(expected.batch.loss, 5);
    expected.batch.logits.flat().forEach((value, i) => expect(logits[i]).toBeCloseTo(value, 4));
    const { tensors } = await readSafetensors(join(folder, "gradients.safetensors"));
    const all = new Map([...gradients, ...scattered(rowGradients)]);
    expect([...all.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, tensor] of tensors) {
      const values = tensor.toFloat32();
      const got = all.get(name) ?? new Float32Array();
      expect({ name, error: relativeError(got, values) }).toSatisfy((it: { error: number }) => it.error < 1e-3);
    }
  });

  test("losses of AdamW steps", async () => {
    const { lr, weight_decay: decay, losses } = expected.adamw;
    const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, maxGradNorm: 0, decayOf: () => decay };
    const optimiser = createOptimiser(parameters, sessions.trainable, options);
    for (const [i, expectedLoss] of losses.entries()) {
      const { loss, ...gradients } = await sessions.step(batch, { targets, masks });
      expect(Math.abs(loss - expectedLoss)).toBeLessThan(1e-4);
      optimiser.add(gradients);
      optimiser.apply(lr, i + 1);
    }
  });

  /** Table gradients come as gathered rows; the reference holds the whole table. */
  function scattered(sites: readonly RowGradients[]): Map<string, Float32Array> {
    const out = new Map<string, Float32Array>();
    for (const { table, rows, data } of sites) {
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
});

/** |a - b| / |b| in the Euclidean norm; gradients that vanish in theory (attention key biases) are compared absolutely. */
function relativeError(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let norm = 0;
  for (const [i, value] of b.entries()) {
    difference += (value - (a[i] ?? Number.NaN)) ** 2;
    norm += value ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), 1e-3);
}
