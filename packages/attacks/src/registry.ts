/** Finds patterns and mutators by their folders: the file name is the id and nothing lists a member twice. */
import { readdir, readFile } from "node:fs/promises";
import { AppError } from "@mlsec/contracts";
import { idsOf, parseMutator } from "./compose.ts";
import type { Mutator } from "./mutator.ts";
import { parsePattern } from "./parse.ts";
import { type AttackPattern, definePattern, type PatternDefinition } from "./pattern.ts";

const patternFolder = new URL("./patterns/", import.meta.url);
const mutatorFolder = new URL("./mutators/", import.meta.url);
let shippedPatterns: Promise<ReadonlyMap<string, AttackPattern>> | undefined;

/**
 * All patterns of a folder. Those that ship are read once in a process.
 * @param folder where one JSON file per pattern lies
 * @returns patterns by id, sorted by id
 * @throws AppError INVALID_INPUT naming the field that is wrong, INTERNAL when a file's name is not its pattern's id
 * @example
 * const patterns = await loadPatterns();
 * patterns.get("direct-override")?.attacks(createRng(1), 3);
 */
export function loadPatterns(folder: URL = patternFolder): Promise<ReadonlyMap<string, AttackPattern>> {
  if (folder !== patternFolder) return readPatterns(folder);
  shippedPatterns ??= readPatterns(folder);
  return shippedPatterns;
}

/**
 * All mutators of a folder.
 * @param folder where one file per mutator lies, each with the mutator as default export
 * @returns mutators by id, sorted by id
 * @throws AppError INTERNAL when a file's name is not its mutator's id
 * @example
 * (await loadMutators()).get("rot13")?.apply("hello", createRng(1)); // "ROT13: uryyb"
 */
export async function loadMutators(folder: URL = mutatorFolder): Promise<ReadonlyMap<string, Mutator>> {
  return loadNamed(await mutatorIds(folder), folder);
}

/**
 * Mutators by their expressions; only the files that these name are read.
 * @param expressions in the language of `parseMutator`
 * @returns mutators by expression
 * @throws AppError INVALID_INPUT for an unknown id, with the known ones, or for an expression that is wrong
 * @example
 * (await resolveMutators(["base64@half(second)"])).get("base64@half(second)");
 */
export async function resolveMutators(expressions: readonly string[]): Promise<ReadonlyMap<string, Mutator>> {
  if (expressions.length === 0) return new Map();
  const known = await mutatorIds(mutatorFolder);
  const ids = [...new Set(expressions.flatMap(idsOf))];
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown !== undefined) {
    const message = `no mutator is called "${unknown.slice(0, 60)}"; known: ${known.join(", ")}`;
    throw new AppError("INVALID_INPUT", message, { id: unknown });
  }
  const loaded = await loadNamed(ids, mutatorFolder);
  return new Map(expressions.map((expression) => [expression, parseMutator(expression, (id) => loaded.get(id))]));
}

async function readPatterns(folder: URL): Promise<ReadonlyMap<string, AttackPattern>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  const read = async (name: string): Promise<[string, AttackPattern]> => {
    const json: unknown = JSON.parse(await readFile(new URL(name, folder), "utf8"));
    // The shipped ones went through parsePattern in their test; checking them again would cost each start 0.2 s.
    const pattern = folder === patternFolder ? definePattern(json as PatternDefinition) : parsePattern(json);
    return [checked(pattern.id, name.replace(/\.json$/, "")), pattern];
  };
  return new Map(await Promise.all(names.map(read)));
}

async function mutatorIds(folder: URL): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^[a-z0-9-]+\.(ts|js)$/.test(name)).sort();
  return names.map((name) => name.replace(/\.(ts|js)$/, ""));
}

async function loadNamed(ids: readonly string[], folder: URL): Promise<ReadonlyMap<string, Mutator>> {
  const load = async (id: string): Promise<[string, Mutator]> => {
    const module = (await import(new URL(`${id}.ts`, folder).href)) as { default: Mutator };
    return [checked(module.default.id, id), module.default];
  };
  return new Map(await Promise.all(ids.map(load)));
}

function checked(id: string, expected: string): string {
  if (id === expected) return id;
  throw new AppError("INTERNAL", `the file "${expected}" declares the id "${id}"; expected "${expected}"`);
}
