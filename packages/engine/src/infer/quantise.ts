/** Weights to int8: one scale per output row, symmetric, embeddings included; the head stays in floating point. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { loadTokenizer } from "../tokenizers/tokenizer.ts";
import { readSafetensors, type TensorToWrite, type WeightTensor, writeSafetensors } from "../weights/safetensors.ts";
import { channelSuffix, scaleSuffix } from "./builder.ts";
import { channelRanges, sampleTexts } from "./ranges.ts";
import { type EncoderSpec, encoderSpec } from "./spec.ts";

/** File names of a detector's weights. */
export const weightFiles = { fp32: "model.safetensors", int8: "model.int8.safetensors" } as const;

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
 * The tensors of the int8 form: I8 matrices of the blocks and of the word table with their `.scale`, the rest F32.
 * @param ranges largest input of each channel by weight name (`channelRanges`): these layers get `.channels`
 * @throws EngineError WEIGHTS when a tensor of the encoder is missing.
 * @example
 * await writeSafetensors("model.int8.safetensors", quantiseTensors(spec, tensors));
 */
export function quantiseTensors(
  spec: EncoderSpec,
  tensors: ReadonlyMap<string, WeightTensor>,
  ranges: ReadonlyMap<string, Float32Array> = new Map(),
): TensorToWrite[] {
  const { words, positions, types, embeddingNorm, blocks, pre, classifier } = spec;
  const groups = [
    [words],
    ...blocks.flatMap(({ query, key, value, attentionOut, expand, contract }) => [
      [query.weight, key.weight, value.weight], // one input, so one set of channel factors
      ...[[attentionOut.weight], [expand.weight], [contract.weight]],
    ]),
  ];
  const matrices = new Set(groups.flat());
  const linears = [embeddingNorm, pre, classifier, ...blocks.flatMap((block) => Object.values(block))];
  const kept = [positions, ...(types ? [types] : []), ...linears.flatMap((l) => [l.weight, l.bias])];
  const out = groups.flatMap((group) => quantiseGroup(group, tensors, ranges.get(group[0] ?? "")));
  for (const name of kept) {
    if (matrices.has(name)) continue;
    const tensor = find(tensors, name);
    out.push({ name, dtype: "F32", shape: tensor.shape, data: tensor.toFloat32() });
  }
  return out;
}

/** Matrices that read the same input. Factors move half of the input's unevenness (in logs) into the weights. */
function quantiseGroup(
  names: readonly string[],
  tensors: ReadonlyMap<string, WeightTensor>,
  range: Float32Array | undefined,
): TensorToWrite[] {
  const matrices = names.map((name) => {
    const { shape, toFloat32 } = find(tensors, name);
    const [rows = 0, columns = 0] = shape;
    return { name, rows, columns, values: toFloat32() };
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
 * Writes `model.int8.safetensors` beside a folder's `model.safetensors`.
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
  const spec = await readSpec(folder);
  const file = await readSafetensors(join(folder, weightFiles.fp32));
  const { encode, prefixIds, suffixIds } = await loadTokenizer(folder);
  const room = Math.min(128, spec.maxTokens) - prefixIds.length - suffixIds.length;
  const rows = texts.map((text) => {
    const { ids } = encode(text, { addSpecials: false });
    return Int32Array.of(...prefixIds, ...ids.subarray(0, room), ...suffixIds);
  });
  const out = quantiseTensors(spec, file.tensors, await channelRanges(spec, file, folder, rows));
  const path = join(folder, weightFiles.int8);
  await writeSafetensors(path, out, { format: "mlsec-int8", scheme: "per-row symmetric, channels evened" });
  return { path, bytes: out.reduce((sum, tensor) => sum + tensor.data.byteLength, 0) };
}

/**
 * Reads a folder's `config.json` as an `EncoderSpec`.
 * @throws EngineError CONFIG when it is missing, not JSON or not a supported family.
 * @example
 * (await readSpec("models/distilbert")).dim; // 384
 */
export async function readSpec(folder: string): Promise<EncoderSpec> {
  const where = join(folder, "config.json");
  let config: Record<string, unknown>;
  try {
    config = JSON.parse(await readFile(where, "utf8")) as Record<string, unknown>;
  } catch (cause) {
    throw new EngineError("CONFIG", "config.json cannot be read", { where }, { cause });
  }
  return encoderSpec(config);
}

function find(tensors: ReadonlyMap<string, WeightTensor>, name: string): WeightTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new EngineError("WEIGHTS", "weight is missing", { where: name });
  return tensor;
}
