/** The reference models of fixtures/parity that this engine's architectures read; one architecture may have several. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { architectures } from "../models/registry.ts";

/**
 * The folder of all reference models.
 * @example
 * const model = await readModelConfig(join(references, "bert"));
 */
export const references = join(import.meta.dirname, "../../fixtures/parity");

const modelTypes = new Map(
  readdirSync(references).map((name) => {
    const { model_type: modelType } = JSON.parse(readFileSync(join(references, name, "config.json"), "utf8"));
    return [name, String(modelType)];
  }),
);

/**
 * Names of the folders whose architecture is there, sorted.
 * @example
 * describe.each(referenceFolders)("%s", (name) => readModelConfig(join(references, name)));
 */
export const referenceFolders: readonly string[] = [...modelTypes.keys()]
  .filter((name) => architectures.has(modelTypes.get(name) ?? ""))
  .sort();

/** Architectures without a reference model; a test wants none. */
export const withoutReference: readonly string[] = [...architectures.keys()].filter(
  (modelType) => ![...modelTypes.values()].includes(modelType),
);
