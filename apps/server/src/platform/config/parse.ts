// Reads a slice out of an environment: blank means unset, secrets may lie in files, a wrong value is one line.
import fs from "node:fs";
import { AppError } from "@mlsec/contracts";
import type * as z from "zod";
import type { Environment, Slice, SliceValues } from "./slice.ts";

/** INVALID_CONFIG names the setting, what was expected and what was found (never a secret). */
export function parseSlice<S extends Slice>(slice: S, environment: Environment): SliceValues<S> {
  const entries = Object.entries(slice).map(([name, schema]) => [name, parseSetting(name, schema, environment)]);
  return Object.freeze(Object.fromEntries(entries)) as SliceValues<S>;
}

export const isSecret = (schema: z.ZodType): boolean => schema.meta()?.["secret"] === true;

function parseSetting(name: string, schema: z.ZodType, environment: Environment): unknown {
  const secret = isSecret(schema);
  const value = secret ? secretValue(name, environment) : blankless(environment[name]);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const expected = parsed.error.issues.map((issue) => issue.message).join("; ");
  const found = value === undefined ? "nothing" : secret ? "another value" : JSON.stringify(value.slice(0, 200));
  throw new AppError("INVALID_CONFIG", `${name}: expected ${expected}, got ${found}`, { name });
}

function secretValue(name: string, environment: Environment): string | undefined {
  const value = blankless(environment[name]);
  const file = blankless(environment[`${name}_FILE`]);
  if (file === undefined) return value;
  if (value !== undefined)
    throw new AppError("INVALID_CONFIG", `${name}: expected it or ${name}_FILE, got both`, { name });
  try {
    return blankless(fs.readFileSync(file, "utf8").trim());
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? "unreadable";
    throw new AppError(
      "INVALID_CONFIG",
      `${name}_FILE: expected a readable file, got ${file} (${why})`,
      { name },
      { cause },
    );
  }
}

const blankless = (value: string | undefined): string | undefined =>
  value === undefined || value.trim() === "" ? undefined : value.trim();
