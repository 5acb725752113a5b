// Checks what a request carries against the contract's schemas. A key that the schema does not know is an error that
// names the nearest one, at any depth: a misspelt setting must not be ignored in silence.
import { AppError, type FieldError } from "@mlsec/contracts";
import * as z from "zod";

type Loose = { readonly [key: string]: unknown };

/** The parsed value, or INVALID_INPUT with one FieldError per wrong field. */
export function validate(schema: z.ZodType, value: unknown, place: "params" | "query" | "body"): unknown {
  const parsed = schema.safeParse(value);
  const errors: FieldError[] = parsed.success
    ? unknownKeys(schema, value, [])
    : parsed.error.issues.flatMap((issue) => fieldErrors(issue, schema, value));
  if (parsed.success && errors.length === 0) return parsed.data;
  // A misspelt key explains the missing one.
  errors.sort((a, b) => Number(b.message.startsWith("unknown key")) - Number(a.message.startsWith("unknown key")));
  const [first] = errors;
  const where = first?.field ? `${place === "body" ? "" : `${place} `}${first.field}` : `the ${place}`;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new AppError("INVALID_INPUT", `${where}: ${first?.message ?? "invalid"}${more}`, {
    errors: errors.slice(0, 50),
  });
}

function fieldErrors(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): FieldError[] {
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, value, issue.path);
    return issue.keys.map((key) => unknownKey([...issue.path, key], known));
  }
  // Of a union's branches the one that got furthest says what is really wrong.
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const best = issue.errors.toSorted((a, b) => depthOf(b) - depthOf(a) || a.length - b.length)[0] ?? [];
    if (depthOf(best) > 0) {
      return best.flatMap((inner) => fieldErrors({ ...inner, path: [...issue.path, ...inner.path] }, schema, value));
    }
  }
  return [{ field: fieldName(issue.path), message: issue.message }];
}

const depthOf = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map((issue) => issue.path.length + (issue.code === "unrecognized_keys" ? 1 : 0)));

/** `config.epochs`, `texts[3]`. Long keys are cut: they may be anything. */
function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part).slice(0, 80)}`))
    .join("")
    .replace(/^\./, "");
}

function unknownKey(path: readonly PropertyKey[], known: readonly string[]): FieldError {
  const near = nearest(String(path.at(-1)), known);
  return { field: fieldName(path), message: `unknown key${near === undefined ? "" : `; did you mean "${near}"?`}` };
}

/** Keys that plain objects would strip in silence. */
function unknownKeys(schema: z.ZodType, value: unknown, path: readonly PropertyKey[]): FieldError[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.flatMap((item, i) => unknownKeys(inner.element as z.ZodType, item, [...path, i]));
  }
  if (inner instanceof z.ZodUnion) {
    const branch = (inner.options as z.ZodType[]).find((option) => option.safeParse(value).success);
    return branch ? unknownKeys(branch, value, path) : [];
  }
  if (!(inner instanceof z.ZodObject) || typeof value !== "object" || value === null) return [];
  const shape = inner.shape as Record<string, z.ZodType>;
  const isOpen = inner.def.catchall !== undefined;
  return Object.entries(value).flatMap(([key, item]) => {
    const field = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (field) return unknownKeys(field, item, [...path, key]);
    return isOpen ? [] : [unknownKey([...path, key], Object.keys(shape))];
  });
}

/** The keys of the object at a path of the value, as far as the schema tells. */
function knownKeys(schema: z.ZodType, value: unknown, path: readonly PropertyKey[]): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion)
    return (inner.options as z.ZodType[]).flatMap((option) => knownKeys(option, value, path));
  const [head, ...rest] = path;
  if (head === undefined) return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
  const next =
    inner instanceof z.ZodArray ? inner.element : inner instanceof z.ZodObject ? inner.shape[String(head)] : undefined;
  return next ? knownKeys(next as z.ZodType, (value as Loose | undefined)?.[String(head)], rest) : [];
}

/** The schema of what comes in, below optional, default, nullable, pipes and lazies. */
export function unwrap(schema: z.ZodType): z.ZodType {
  const def = schema.def as {
    type: string;
    innerType?: z.ZodType;
    in?: z.ZodType;
    out?: z.ZodType;
    getter?: () => z.ZodType;
  };
  if (def.type === "lazy" && def.getter) return unwrap(def.getter());
  if (def.type === "pipe" && def.in) return unwrap(def.in.def.type === "transform" && def.out ? def.out : def.in);
  return def.innerType && def.type !== "promise" ? unwrap(def.innerType) : schema;
}

/** A query as an object: repeated keys become lists where the schema has one, numbers and booleans are read as such. */
export function queryObject(search: URLSearchParams, schema: z.ZodObject): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const key of new Set(search.keys())) {
    const field = Object.hasOwn(schema.shape, key) ? unwrap(schema.shape[key] as z.ZodType) : undefined;
    const values = search.getAll(key);
    if (field instanceof z.ZodArray)
      result[key] = values.map((value) => scalar(value, unwrap(field.element as z.ZodType)));
    else if (values.length > 1) throw repeated(key);
    else result[key] = field ? scalar(values[0] ?? "", field) : values[0];
  }
  return result;
}

const repeated = (key: string): AppError =>
  new AppError("INVALID_INPUT", `query ${key.slice(0, 80)}: given more than once`, {
    errors: [{ field: key.slice(0, 80), message: "given more than once" }],
  });

function scalar(value: string, schema: z.ZodType): unknown {
  if (schema instanceof z.ZodBoolean)
    return { true: true, false: false, "1": true, "0": false }[value.toLowerCase()] ?? value;
  if (schema instanceof z.ZodNumber && value.trim() !== "" && Number.isFinite(Number(value))) return Number(value);
  // An empty string coerces to 0, which nobody meant.
  if (schema instanceof z.ZodNumber) return Number.NaN;
  return value;
}

/** The known word closest to a misspelt one, when it is close enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const short = word.slice(0, 64).toLowerCase();
  let best: { name: string; distance: number } | undefined;
  for (const name of known) {
    const distance = editDistance(short, name.toLowerCase());
    if (distance <= Math.max(2, Math.floor(name.length / 3)) && distance < (best?.distance ?? Infinity))
      best = { name, distance };
  }
  return best?.name;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
