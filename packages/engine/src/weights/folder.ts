/** The weights of a Hugging Face folder, whichever file holds them. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";
import type { WeightTensor } from "./safetensors.ts";
import { readSafetensors } from "./safetensors-file.ts";
import { readTorch } from "./torch.ts";

/** Files that may hold the weights of a folder, the preferred one first. */
export const weightNames = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
] as const;

/** The weights of a folder. */
export interface FolderWeights {
  readonly tensors: Map<string, WeightTensor>;
  /** Text beside the tensors; only safetensors files have it. */
  readonly metadata: Record<string, string>;
  /**
   * Where the raw numbers of a tensor lie, as ONNX `external_data` wants it: a file of the folder, offset and length
   * in bytes. Tensors that lie nowhere in one stretch (a transposed view of a .bin file) are left out.
   */
  readonly places: Map<string, WeightPlace>;
}

/** A stretch of a file in the folder. */
export interface WeightPlace {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads the weights of a folder: model.safetensors, else its shards, else pytorch_model.bin, else its shards.
 * @throws EngineError WEIGHTS when there are none, or the file is damaged, unsafe or incomplete.
 * @example
 * const { tensors } = await readWeights("models/minilm-l6");
 */
export async function readWeights(folder: string): Promise<FolderWeights> {
  for (const name of weightNames) {
    const info = await stat(join(folder, name)).catch(() => undefined);
    if (!info?.isFile()) continue;
    return name.endsWith(".index.json") ? await readShards(folder, name) : await readFileOf(folder, name);
  }
  throw new EngineError("WEIGHTS", "folder holds no weights", { where: folder, expected: weightNames });
}

/**
 * The files that an index names, sorted.
 * @throws EngineError WEIGHTS when it is no index, or names something other than plain files.
 * @example
 * shardNames('{"weight_map": {"a": "model-00001-of-00002.safetensors"}}', "model.safetensors.index.json");
 */
export function shardNames(index: string, where: string): string[] {
  return [...new Set(Object.values(weightMap(index, where)))].sort();
}

async function readFileOf(folder: string, name: string): Promise<FolderWeights> {
  const path = join(folder, name);
  const file = name.endsWith(".safetensors")
    ? await readSafetensors(path)
    : { metadata: {}, ...(await readTorch(path)) };
  const places = new Map([...file.offsets].map(([tensor, place]) => [tensor, { file: name, ...place }]));
  return { tensors: file.tensors, metadata: file.metadata, places };
}

async function readShards(folder: string, name: string): Promise<FolderWeights> {
  const where = join(folder, name);
  const map = weightMap(await readFile(where, "utf8"), where);
  const out: FolderWeights = { tensors: new Map(), metadata: {}, places: new Map() };
  for (const shard of new Set(Object.values(map))) {
    const { tensors, places, metadata } = await readFileOf(folder, shard);
    Object.assign(out.metadata, metadata);
    for (const [tensor, value] of tensors) {
      if (map[tensor] !== shard) continue;
      out.tensors.set(tensor, value);
      const place = places.get(tensor);
      if (place) out.places.set(tensor, place);
    }
  }
  const missing = Object.keys(map).find((tensor) => !out.tensors.has(tensor));
  if (missing !== undefined)
    throw new EngineError("WEIGHTS", "a shard lacks a tensor of the index", { where: missing });
  return out;
}

function weightMap(index: string, where: string): Record<string, string> {
  let map: unknown;
  try {
    map = (JSON.parse(index) as { weight_map?: unknown } | null)?.weight_map;
  } catch (cause) {
    throw new EngineError("WEIGHTS", "index is not JSON", { where }, { cause });
  }
  const names = typeof map === "object" && map !== null ? Object.values(map) : [];
  const isPlain = (name: unknown): boolean =>
    typeof name === "string" && /^[\w][\w.-]*\.(?:safetensors|bin)$/.test(name) && !name.includes("..");
  if (names.length === 0 || !names.every(isPlain)) {
    throw new EngineError("WEIGHTS", "index does not map tensors to files of the folder", { where });
  }
  return map as Record<string, string>;
}
