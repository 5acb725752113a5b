/** Weights to int8: one scale per output row, symmetric, embeddings included; the head stays in floating point. */
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { readModelConfig } from "../models/registry.ts";
import type { ModelDescription } from "../models/architecture.ts";
import { loadTokenizer } from "../tokenizers/folder.ts";
import { readWeights } from "../weights/folder.ts";
import { channelSuffix, scaleSuffix } from "../weights/int8.ts";
import { weightFiles, weightName } from "../weights/names.ts";
import type { TensorToWrite, WeightTensor } from "../weights/safetensors.ts";
import { writeSafetensors } from "../weights/safetensors-file.ts";
import { buildInferenceGraph } from "./graph.ts";
import { channelRanges, sampleTexts } from "./ranges.ts";

/**
 * Quantises one matrix row by row: value ≈ int8 × scale of its row, |int8| ≤ 127.
 * @param values row-major (rows, columns)
 * @example
 * quantiseMatrix(Float32Array.of(1, -2), 1, 2); // { values: [64, -127], scales: [2 / 127] }
 */
export function quantiseMatrix(
  values: Float32Array,
  rows: number,
  columns: number,
): { values: Int8Array; scales: Float32Array } {
  const out = new Int8Array(rows * columns);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const begin = row * columns;
    let largest = 0;
    for (let i = begin; i < begin + columns; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
    const scale = largest / 127;
    scales[row] = scale;
    if (scale === 0) continue;
    for (let i = begin; i < begin + columns; i++) out[i] = Math.round((values[i] ?? 0) / scale);
  }
  return { values: out, scales };
}

/**
 * The tensors of the int8 form: I8 matrices (out, in) of the encoder and of the word tables with their `.scale`, the rest F32.
 * @param ranges largest input of each channel by layer name (`channelRanges`): these layers get `.channels`
 * @throws EngineError WEIGHTS when a tensor of the encoder is missing.
 * @example
 * await writeSafetensors("model.int8.safetensors", quantiseTensors(model, tensors));
 */
export function quantiseTensors(
  model: ModelDescription,
  tensors: ReadonlyMap<string, WeightTensor>,
  ranges: ReadonlyMap<string, Float32Array> = new Map(),
): TensorToWrite[] {
  const { linearSites, wordTables } = buildInferenceGraph(model, tensors);
  const specs = new Map(model.architecture.parameters(model.config).map((spec) => [spec.name, spec]));
  const isHead = (name: string): boolean => specs.get(`${name}.weight`)?.layer === undefined;
  const sites = linearSites.filter(({ names }) => !names.some(isHead));
  const done = new Set<string>();
  const out: TensorToWrite[] = wordTables.flatMap((name) => {
    done.add(name);
    return quantiseGroup([name], tensors, {});
  });
  for (const { names, inputFirst } of sites) {
    const weights = names.map((name) => `${name}.weight`).filter((name) => !done.has(name));
    for (const name of weights) done.add(name);
    out.push(...quantiseGroup(weights, tensors, { range: ranges.get(names[0] ?? ""), inputFirst }));
  }
  for (const { name } of specs.values()) {
    if (done.has(name)) continue;
    const tensor = find(tensors, name);
    out.push({ name, dtype: "F32", shape: tensor.shape, data: tensor.toFloat32() });
  }
  return out;
}

/** Matrices that read the same input. Factors move half of the input's unevenness (in logs) into the weights. */
function quantiseGroup(
  names: readonly string[],
  tensors: ReadonlyMap<string, WeightTensor>,
  { range, inputFirst = false }: { readonly range?: Float32Array | undefined; readonly inputFirst?: boolean },
): TensorToWrite[] {
  const matrices = names.map((name) => {
    const { shape, toFloat32 } = find(tensors, name);
    const [rows = 0, columns = 0] = inputFirst ? shape.toReversed() : shape;
    return { name, rows, columns, values: inputFirst ? turned(toFloat32(), columns, rows) : toFloat32() };
  });
  const columns = matrices[0]?.columns ?? 0;
  const largest = new Float32Array(columns);
  for (const { values } of matrices) {
    for (const [i, value] of values.entries()) {
      largest[i % columns] = Math.max(largest[i % columns] ?? 0, Math.abs(value));
    }
  }
  const factors = range?.map((input, c) => Math.sqrt(Math.max(1e-5, largest[c] ?? 0) / Math.max(1e-5, input)));
  return matrices.flatMap(({ name, rows, values }) => {
    const evened = factors ? values.map((value, i) => value / (factors[i % columns] ?? 1)) : values;
    const quantised = quantiseMatrix(evened, rows, columns);
    const own: TensorToWrite[] = [
      { name, dtype: "I8", shape: [rows, columns], data: quantised.values },
      { name: `${name}${scaleSuffix}`, dtype: "F32", shape: [rows], data: quantised.scales },
    ];
    if (factors) own.push({ name: `${name}${channelSuffix}`, dtype: "F32", shape: [columns], data: factors });
    return own;
  });
}

/**
 * Writes `model.int8.safetensors` beside a folder's weights.
 * @param texts samples of what will be read; they show which channels are large. Some plain sentences by default
 * @returns the size of the written tensors in bytes
 * @throws EngineError WEIGHTS or CONFIG when the folder is not a classifier that can be served.
 * @example
 * await quantise("models/distilbert");
 */
export async function quantise(
  folder: string,
  texts: readonly string[] = sampleTexts,
): Promise<{ path: string; bytes: number }> {
  const model = await readModelConfig(folder);
  const file = await readWeights(folder);
  const { encode, prefixIds, suffixIds } = await loadTokenizer(folder);
  const room = Math.min(128, model.config.maxTokens) - prefixIds.length - suffixIds.length;
  const rows = texts.map((text) => {
    const { ids } = encode(text, { addSpecials: false });
    return Int32Array.of(...prefixIds, ...ids.subarray(0, room), ...suffixIds);
  });
  const out = quantiseTensors(model, file.tensors, await channelRanges(model, file, folder, rows));
  const path = join(folder, weightFiles.int8);
  await writeSafetensors(path, out, { format: "mlsec-int8", scheme: "per-row symmetric, channels evened" });
  return { path, bytes: out.reduce((sum, tensor) => sum + tensor.data.byteLength, 0) };
}

/** (rows, columns) as (columns, rows). */
function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column] ?? 0;
  }
  return out;
}

function find(tensors: ReadonlyMap<string, WeightTensor>, name: string): WeightTensor {
  const tensor = tensors.get(weightName(tensors, name) ?? "");
  if (!tensor) throw new EngineError("WEIGHTS", "weight is missing", { where: name });
  return tensor;
}
