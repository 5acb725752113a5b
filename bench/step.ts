/** One training step of ours on random ids, as `train-step` and `scaling` time it, and the sizes they speak about. */
import { setTimeout as wait } from "node:timers/promises";
import { describeModel } from "../packages/engine/src/index.ts";
import { padBatch } from "../packages/engine/src/train/batch.ts";
import { createDropoutPool } from "../packages/engine/src/train/dropout.ts";
import { openEncoder } from "../packages/engine/src/train/encoder.ts";
import { createOptimiser } from "../packages/engine/src/train/optimiser.ts";
import { freshParameters } from "../packages/engine/src/train/parameters.ts";
import { seededRandom } from "../packages/engine/src/index.ts";
import { median } from "./measure.ts";

/** An encoder and a batch of full rows. */
export interface Size {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly rows: number;
  readonly tokens: number;
}

export const nameOf = ({ layers, hidden, rows, tokens }: Size): string => `${layers}x${hidden} at ${rows}x${tokens}`;

/** Three times the products of a full forward pass: the same count for every engine, whatever one leaves out. */
export function gigaflops({ layers, hidden, rows, tokens }: Size): number {
  const perToken = 2 * 12 * hidden * hidden + 4 * tokens * hidden;
  return (3 * layers * rows * tokens * perToken) / 1e9;
}

/** A step that can be timed. */
export interface OpenStep {
  /** Median milliseconds of forward and backward, with or without AdamW. */
  measure(seconds: number, update: boolean): Promise<number>;
  release(): Promise<void>;
}

/** How ours computes a step. */
interface Form {
  readonly dropout?: number;
  /** Input gradients, or all products of the layers, in int8; copying the weights counts into AdamW's time. */
  readonly int8?: "gradients" | "all";
}

/** Ours: a DistilBERT of the size, 1,000 words, five labels. */
export async function openStep(size: Size, { dropout = 0, int8 }: Form = {}): Promise<OpenStep> {
  const model = describeModel({
    model_type: "distilbert",
    vocab_size: 1000,
    dim: size.hidden,
    n_layers: size.layers,
    n_heads: size.heads,
    hidden_dim: 4 * size.hidden,
    max_position_embeddings: Math.max(512, size.tokens),
    num_labels: 5,
  });
  const parameters = freshParameters(model, 1);
  const rates = { hidden: dropout, attention: 0, head: dropout };
  const sessions = await openEncoder(model, parameters, { rates, isTrainable: () => true, threads: 0, int8 });
  const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, maxGradNorm: 1, decayOf: () => 0.01 };
  const optimiser = createOptimiser(parameters, sessions.trainable, settings);
  const random = seededRandom(1);
  const ids = (): Int32Array => Int32Array.from({ length: size.tokens }, () => 5 + Math.floor(random() * 995));
  const batch = padBatch(Array.from({ length: size.rows }, ids), [], 0);
  const labels = model.config.labels.length;
  const targets = Float32Array.from({ length: size.rows * labels }, (_, i) => (i % labels === 0 ? 1 / size.rows : 0));
  const pool = createDropoutPool(1);
  let count = 0;
  const step = async (update: boolean): Promise<void> => {
    const result = await sessions.step(batch, { targets, masks: pool.at(count++, 0) });
    if (!update) return;
    optimiser.add(result);
    optimiser.apply(1e-5, count);
    sessions.refresh();
  };
  return {
    async measure(seconds, update) {
      await step(update);
      const times: number[] = [];
      for (const began = performance.now(); performance.now() - began < seconds * 1000 || times.length < 3; ) {
        const before = performance.now();
        await step(update);
        times.push(performance.now() - before);
      }
      await wait(50); // the other side starts on idle cores
      return median(times);
    },
    release: () => sessions.release(),
  };
}
