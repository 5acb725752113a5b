/** Finds patterns and mutators by their folders: the file name is the id and nothing lists a member twice. */
import { readdir } from "node:fs/promises";
import { AppError } from "@mlsec/contracts";
import type { Mutator } from "./mutator.ts";
import type { AttackPattern } from "./pattern.ts";

/**
 * All patterns of a folder.
 * @param folder where one file per pattern lies, each with the pattern as default export
 * @returns patterns by id, sorted by id
 * @throws AppError INTERNAL when a file's name is not its pattern's id
 * @example
 * const patterns = await loadPatterns();
 * patterns.get("direct-override")?.attacks(createRng(1), 3);
 */
export function loadPatterns(
  folder: URL = new URL("./patterns/", import.meta.url),
): Promise<ReadonlyMap<string, AttackPattern>> {
  return loadFolder<AttackPattern>(folder);
}

/**
 * All mutators of a folder.
 * @param folder where one file per mutator lies, each with the mutator as default export
 * @returns mutators by id, sorted by id
 * @throws AppError INTERNAL when a file's name is not its mutator's id
 */
export function loadMutators(
  folder: URL = new URL("./mutators/", import.meta.url),
): Promise<ReadonlyMap<string, Mutator>> {
  return loadFolder<Mutator>(folder);
}

async function loadFolder<T extends { readonly id: string }>(folder: URL): Promise<ReadonlyMap<string, T>> {
  const names = (await readdir(folder)).filter((name) => /^[a-z0-9-]+\.(ts|js)$/.test(name)).sort();
  const load = async (name: string): Promise<[string, T]> => {
    const module = (await import(new URL(name, folder).href)) as { default: T };
    const expected = name.replace(/\.(ts|js)$/, "");
    if (module.default.id === expected) return [expected, module.default];
    throw new AppError("INTERNAL", `${name} declares the id "${module.default.id}"; expected "${expected}"`);
  };
  return new Map(await Promise.all(names.map(load)));
}
