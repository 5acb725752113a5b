/** The weights of a model in memory: loaded from safetensors, fresh where the checkpoint has none, saved again. */
import { join } from "node:path";
import { EngineError } from "../error.ts";
import type { ModelDescription } from "../models/architecture.ts";
import type { ParameterSpec } from "../models/architecture.ts";
import { type Arena, createArena } from "../tensor/arena.ts";
import { createRandom } from "../tensor/random.ts";
import { weightName } from "../weights/names.ts";
import { readWeights } from "../weights/folder.ts";
import type { WeightTensor } from "../weights/safetensors.ts";
import { writeSafetensors } from "../weights/safetensors-file.ts";

/** One parameter: what it is, and its numbers, updated in place. */
export interface Parameter {
  readonly spec: ParameterSpec;
  readonly data: Float32Array;
}

/** Every parameter of a model under its Hugging Face name, in one arena. */
export class Parameters extends Map<string, Parameter> {
  readonly arena: Arena;

  /** Makes room for these parameters, and for what training keeps about each. */
  constructor(specs: readonly ParameterSpec[]) {
    super();
    // Data, gradient, two moments, and two int8 forms with their scales.
    this.arena = createArena(
      specs.reduce((sum, { shape }) => sum + 18 * sizeOf(shape) + 8 * Math.max(...shape) + 512, 0),
    );
  }

  /** Adds a parameter filled with `values`. */
  put(spec: ParameterSpec, values: Float32Array): void {
    const data = this.arena.floats(values.length);
    data.set(values);
    this.set(spec.name, { spec, data });
  }
}

/**
 * Loads the weights of a folder. Parameters of the head that the file lacks (or holds in another shape, for
 * another number of labels) start fresh, seeded; a missing encoder weight is an error.
 * @throws EngineError WEIGHTS naming the parameter and both shapes.
 */
export async function loadParameters(folder: string, model: ModelDescription, seed: number): Promise<Parameters> {
  const { tensors } = await readWeights(folder);
  return parametersOf(tensors, model, { folder, seed });
}

/** Parameters from tensors that are already read; `folder` is for messages. */
export function parametersOf(
  tensors: ReadonlyMap<string, WeightTensor>,
  model: ModelDescription,
  { folder, seed }: { readonly folder: string; readonly seed: number },
): Parameters {
  const specs = model.architecture.parameters(model.config);
  const out = new Parameters(specs);
  for (const [index, spec] of specs.entries()) {
    const tensor = tensors.get(weightName(tensors, spec.name) ?? "");
    if (tensor !== undefined && tensor.shape.join() === spec.shape.join()) {
      out.put(spec, tensor.toFloat32());
    } else if (spec.layer === undefined) {
      out.put(spec, fresh(spec, model.config.initializerRange, [seed, index]));
    } else {
      const message = tensor === undefined ? `${spec.name} is missing` : `${spec.name} has another shape`;
      throw new EngineError("WEIGHTS", message, { where: folder, expected: spec.shape, got: tensor?.shape });
    }
  }
  return out;
}

/** Fresh parameters for training from nothing: normal weights, zero biases, unit norms. */
export function freshParameters(model: ModelDescription, seed: number): Parameters {
  const specs = model.architecture.parameters(model.config);
  const out = new Parameters(specs);
  for (const [i, spec] of specs.entries()) out.put(spec, fresh(spec, model.config.initializerRange, [seed, i]));
  return out;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, dim) => size * dim, 1);

/** Writes all parameters as `model.safetensors`, atomically. */
export async function saveParameters(folder: string, parameters: Parameters, dtype: "F16" | "F32"): Promise<void> {
  const tensors = [...parameters.values()].map(({ spec, data }) => {
    return { name: spec.name, dtype, shape: spec.shape, data };
  });
  await writeSafetensors(join(folder, "model.safetensors"), tensors, { format: "pt" });
}

function fresh(spec: ParameterSpec, std: number, seeds: readonly number[]): Float32Array {
  const data = new Float32Array(sizeOf(spec.shape));
  if (spec.fresh === "ones") return data.fill(1);
  if (spec.fresh === "zeros") return data;
  const random = createRandom(...seeds);
  return data.map(() => std * random.normal());
}

/** The table that words select their vectors from. */
export function wordTableOf({ architecture, config }: ModelDescription): string {
  return architecture.parameters(config).find(({ shape, table }) => table && shape[0] === config.vocabSize)?.name ?? "";
}
