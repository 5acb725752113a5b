/** Reads single fields of a tokenizer file; a wrong one is an error that names its place in the file. */
import { EngineError } from "../error.ts";
import type { Json } from "./stages.ts";

/**
 * An object.
 * @throws EngineError TOKENIZER naming `where` otherwise.
 * @example
 * objectAt({ type: "NFC" }, "normalizer"); // { type: "NFC" }
 */
export function objectAt(value: unknown, where: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new EngineError("TOKENIZER", `${where} is not an object`, { where });
}

/**
 * A list.
 * @throws EngineError TOKENIZER naming the field otherwise.
 * @example
 * listAt({ merges: [] }, "merges", "model"); // []
 */
export function listAt(config: Json, name: string, where: string): readonly unknown[] {
  const value = config[name];
  if (Array.isArray(value)) return value;
  throw new EngineError("TOKENIZER", `${where}.${name} is not a list`, { where: `${where}.${name}` });
}

/**
 * A string.
 * @throws EngineError TOKENIZER naming the field otherwise.
 * @example
 * stringAt({ prepend: "_" }, "prepend", "normalizer"); // "_"
 */
export function stringAt(config: Json, name: string, where: string): string {
  const value = config[name];
  if (typeof value === "string") return value;
  throw new EngineError("TOKENIZER", `${where}.${name} is not a string`, { where: `${where}.${name}` });
}

/**
 * A string that may be missing or null.
 * @throws EngineError TOKENIZER naming the field when it is something else.
 * @example
 * optionalStringAt({}, "unk_token", "model"); // undefined
 */
export function optionalStringAt(config: Json, name: string, where: string): string | undefined {
  return config[name] === undefined || config[name] === null ? undefined : stringAt(config, name, where);
}

/**
 * A boolean; missing or null is `fallback`.
 * @throws EngineError TOKENIZER naming the field when it is something else.
 * @example
 * flagAt({}, "split", { where: "pre_tokenizer", fallback: true }); // true
 */
export function flagAt(config: Json, name: string, options: { where: string; fallback: boolean }): boolean {
  const value = config[name] ?? options.fallback;
  if (typeof value === "boolean") return value;
  const where = `${options.where}.${name}`;
  throw new EngineError("TOKENIZER", `${where} is not a boolean`, { where });
}
