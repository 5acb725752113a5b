/**
 * Low-rank updates: the base weights stay, two thin factors beside each linear layer learn, and saving folds them in.
 * https://arxiv.org/abs/2106.09685
 */
import { EngineError } from "../error.ts";
import { createGraph } from "../graph/graph.ts";
import type { ModelDescription } from "../models/architecture.ts";
import { createTrainingBuilder, type LoraOptions, type LoraSite, loraNames } from "../nn/training.ts";
import { ops } from "../ops/registry.ts";
import { createRandom } from "../tensor/random.ts";
import type { Parameters } from "./parameters.ts";

/** Settings of low-rank training. */
export interface LoraConfig {
  /** Width of the two factors, 1 to 256. */
  readonly rank: number;
  /** The update is scaled by alpha / rank. */
  readonly alpha: number;
}

/** Low-rank updates of a model under training. */
export interface Lora extends LoraOptions {
  readonly sites: readonly LoraSite[];
}

/**
 * Adds the factors to the parameters: A normal, B zero, so that training starts at the base model. Every linear layer
 * of the encoder gets them; the head trains whole.
 * @throws EngineError CONFIG when the rank exceeds the narrowest layer.
 */
export function addLora(
  parameters: Parameters,
  model: ModelDescription,
  options: LoraConfig & { readonly seed: number },
): Lora {
  const { rank, alpha, seed } = options;
  const isEncoders = (name: string): boolean => parameters.get(`${name}.weight`)?.spec.layer !== undefined;
  const lora: LoraOptions = { rank, alpha, applies: isEncoders };
  const b = createTrainingBuilder(createGraph(ops), { rates: { hidden: 0, attention: 0, head: 0 }, lora });
  model.architecture.forward(b, model.config);
  for (const [index, { name, shape }] of b.loraSites.entries()) {
    const [out, width] = shape;
    if (rank > Math.min(out, width)) {
      throw new EngineError("CONFIG", `lora.rank exceeds ${name}`, { expected: Math.min(out, width), got: rank });
    }
    const layer = parameters.get(`${name}.weight`)?.spec.layer ?? 0;
    const random = createRandom(seed, 6, index);
    const names = loraNames(name);
    const a = Float32Array.from({ length: rank * width }, () => random.normal() / Math.sqrt(width));
    parameters.put({ name: names.a, shape: [rank, width], fresh: "normal", layer }, a);
    parameters.put({ name: names.b, shape: [out, rank], fresh: "zeros", layer }, new Float32Array(out * rank));
  }
  return { ...lora, sites: b.loraSites };
}

/** Whether a parameter is one of the factors. */
export function isLora(name: string): boolean {
  return /\.lora_[AB]\.weight$/.test(name);
}

/** Folds the factors into the base weights, W += (alpha / rank) B A, and removes them. */
export function foldLora(parameters: Parameters, { sites, rank, alpha }: Lora): void {
  for (const { name, inputFirst, shape } of sites) {
    const names = loraNames(name);
    const [a, b] = [parameters.get(names.a)?.data, parameters.get(names.b)?.data];
    const weight = parameters.get(`${name}.weight`)?.data;
    if (a === undefined || b === undefined || weight === undefined) continue;
    const [out, width] = shape;
    for (let row = 0; row < out; row++) {
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (let k = 0; k < rank; k++) sum += (b[row * rank + k] as number) * (a[k * width + column] as number);
        const at = inputFirst ? column * out + row : row * width + column;
        weight[at] = (weight[at] as number) + (alpha / rank) * sum;
      }
    }
    parameters.delete(names.a);
    parameters.delete(names.b);
  }
}
