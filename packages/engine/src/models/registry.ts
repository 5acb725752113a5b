/** Architectures, found by this folder: every file with a default export that is one. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { type Architecture, describeWith, type ModelDescription, type Preset } from "./architecture.ts";

const folder = import.meta.dirname;
const files = (await readdir(folder)).filter((file) => /^[a-z0-9-]+\.[tj]s$/.test(file)).sort();
const loaded: Architecture[] = [];
for (const file of files) {
  if (/^(registry|architecture)\./.test(file)) continue;
  const module: { readonly default: Architecture } = await import(new URL(file, import.meta.url).href);
  loaded.push(module.default);
}

/** Every architecture by its `model_type`. */
export const architectures: ReadonlyMap<string, Architecture> = new Map(loaded.map((item) => [item.modelType, item]));

/** Known checkpoints by short name, gathered from the presets that each architecture declares. */
export const MODEL_CONFIGS: Readonly<Record<string, Preset & { readonly modelType: string }>> = Object.fromEntries(
  loaded.flatMap(({ modelType, presets }) =>
    Object.entries(presets).map(([name, preset]) => [name, { ...preset, modelType }]),
  ),
);

/**
 * The architecture and configuration that a parsed config.json describes.
 * @throws EngineError CONFIG for an unknown architecture, or naming the key that is missing or wrong.
 * @example
 * const { architecture, config } = describeModel({ model_type: "distilbert", dim: 384, … });
 */
export function describeModel(json: Readonly<Record<string, unknown>>): ModelDescription {
  return describeWith(architectures, json);
}

/**
 * Reads the config.json of a model folder.
 * @throws EngineError CONFIG when it is missing, is not JSON, or names an unknown architecture.
 * @example
 * const { architecture, config } = await readModelConfig("models/minilm-l6");
 */
export async function readModelConfig(modelFolder: string): Promise<ModelDescription> {
  const where = join(modelFolder, "config.json");
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(await readFile(where, "utf8"));
  } catch (cause) {
    throw new EngineError("CONFIG", "config.json cannot be read", { where }, { cause });
  }
  return describeModel(json);
}
