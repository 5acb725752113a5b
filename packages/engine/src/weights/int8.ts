/** The int8 form of weights: what its tensors are called, and the way back to float32. */
import { EngineError } from "../error.ts";
import type { WeightTensor } from "./safetensors.ts";

/** Suffix of the tensor that holds the scales of a quantised one, one per row. */
export const scaleSuffix = ".scale";

/** Suffix of the factors that even out the channels of a quantised weight's input (its columns are divided by them). */
export const channelSuffix = ".channels";

/**
 * Float32 tensors of an int8 file: value = int8 × scale of its row × factor of its column.
 * @throws EngineError WEIGHTS when an int8 tensor has no scales.
 * @example
 * const tensors = dequantise((await readSafetensors("models/distilbert/model.int8.safetensors")).tensors);
 */
export function dequantise(tensors: ReadonlyMap<string, WeightTensor>): Map<string, WeightTensor> {
  const out = new Map<string, WeightTensor>();
  for (const [name, tensor] of tensors) {
    if (name.endsWith(scaleSuffix) || name.endsWith(channelSuffix)) continue;
    out.set(name, tensor.dtype === "I8" ? floated(name, tensor, tensors) : tensor);
  }
  return out;
}

function floated(name: string, tensor: WeightTensor, all: ReadonlyMap<string, WeightTensor>): WeightTensor {
  const scales = all.get(`${name}${scaleSuffix}`)?.toFloat32();
  if (scales === undefined) throw new EngineError("WEIGHTS", "int8 tensor has no scales", { where: name });
  const factors = all.get(`${name}${channelSuffix}`)?.toFloat32();
  const [, columns = 1] = tensor.shape;
  const toFloat32 = (): Float32Array =>
    Float32Array.from(tensor.bytes, (byte, i) => {
      const value = ((byte << 24) >> 24) * (scales[Math.floor(i / columns)] ?? 0);
      return value * (factors?.[i % columns] ?? 1);
    });
  const values = toFloat32();
  return { dtype: "F32", shape: tensor.shape, bytes: new Uint8Array(values.buffer), toFloat32: () => values.slice() };
}
