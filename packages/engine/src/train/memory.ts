/** How much memory a run may take, stated before it starts. Measured: 10 to 40 % above the peak of real runs. */
import type { EncoderConfig } from "../models/architecture.ts";
import type { TrainConfig } from "./config.ts";
import type { Parameters } from "./parameters.ts";

/** Node, the libraries and the graphs. */
const baseline = 120e6;

/**
 * Upper bound of the process's memory in bytes: weights and two moments, two copies of the dense gradients, the best
 * weights, and the activations of the largest run, which the runtime's arena keeps.
 * @example trainingBytes(config, resolveTrainConfig({}), parameters) / 2 ** 30 // GiB
 */
export function trainingBytes(model: EncoderConfig, config: TrainConfig, parameters: Parameters): number {
  let weights = 0;
  let dense = 0;
  for (const { spec, data } of parameters.values()) {
    weights += data.length;
    if (spec.table === undefined) dense += data.length;
  }
  const tokens = Math.max(config.tokenBudget, config.maxLength);
  const { layers, attentions = layers, heldFloats = layers * (14 * model.hidden + 7 * model.intermediate) } = model;
  const perToken = heldFloats + 4 * attentions * model.heads * config.maxLength;
  return baseline + 4 * (4 * weights + 2 * dense + tokens * perToken);
}
