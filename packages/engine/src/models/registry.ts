/** Architectures, found by this folder: every file with a default export that is one. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";
import type { Architecture, EncoderConfig } from "./architecture.ts";

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
export const MODEL_CONFIGS: Readonly<Record<string, { readonly repository: string; readonly modelType: string }>> =
  Object.fromEntries(
    loaded.flatMap(({ modelType, presets }) =>
      Object.entries(presets).map(([name, repository]) => [name, { repository, modelType }]),
    ),
  );

/** A model folder's architecture and configuration. */
export interface ModelDescription {
  readonly architecture: Architecture;
  readonly config: EncoderConfig;
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
  const modelType = String(json["model_type"]);
  const architecture = architectures.get(modelType);
  if (architecture === undefined) {
    const expected = [...architectures.keys()];
    throw new EngineError("CONFIG", `unknown model_type ${modelType}`, { where, expected, got: modelType });
  }
  return { architecture, config: architecture.readConfig(json) };
}
