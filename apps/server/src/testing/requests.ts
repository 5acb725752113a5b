// Requests made from a contract by fast-check: most fit the schema, many almost fit, some are rubbish.
import type { Route } from "@mlsec/contracts";
import fc from "fast-check";
import * as z from "zod";

export interface AnyRequest {
  readonly path: string;
  readonly init: RequestInit;
}
type Json = { readonly [key: string]: unknown };

/** Texts that have broken something somewhere. */
const oddTexts = [
  "",
  " ",
  "\0",
  "\ud800",
  "😀",
  "../../etc/passwd",
  "%",
  "null",
  "' or 1=1 --",
  "${7*7}",
  "a".repeat(5000),
  "__proto__",
  "\u202e",
  "s3://b/k",
  "1e999",
];
const oddKeys = ["__proto__", "constructor", "toString", "", "\0", "limitt"];
const rubbishBodies = [
  "",
  "{",
  "[]",
  "null",
  "1e999",
  '"',
  "[[[[[[",
  '{"a":1,"a":2}',
  "\ufeff{}",
  `${"[".repeat(5000)}`,
  '{"__proto__":{"x":1}}',
];

const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ maxLength: 30, unit: "grapheme" }) },
  { weight: 1, arbitrary: fc.constantFrom(...oddTexts) },
);
const anything = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(text, { maxLength: 2 }),
  fc.dictionary(fc.constantFrom("a", ...oddKeys), text, { maxKeys: 2 }),
);

/** One request of this route. */
export function requestOf(route: Route): fc.Arbitrary<AnyRequest> {
  return fc
    .record({
      params: fieldsOf(route.params),
      query: fieldsOf(route.query),
      body: bodyOf(route),
      type: fc.constantFrom(...types),
    })
    .map(({ params, query, body, type }) => {
      const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodePart(params[name]));
      const pairs = Object.entries(query).map(([key, value]) => [wellFormed(key), wellFormed(scalar(value))]);
      const search = pairs.length === 0 ? "" : `?${new URLSearchParams(pairs).toString()}`;
      const hasBody = body !== undefined && route.method !== "GET";
      return {
        path: path + search,
        init: { method: route.method, ...(hasBody ? { body, headers: { "content-type": type } } : {}) },
      };
    });
}

// Mostly what is right: the rest is soon told.
const types = [...Array.from({ length: 8 }, () => "application/json"), "text/plain", "multipart/form-data; boundary=x"];

function bodyOf(route: Route): fc.Arbitrary<string | undefined> {
  if (route.kind === "upload")
    return fc.oneof(fc.constantFrom(...rubbishBodies), fc.constant('{"rows":[{"text":"a","label":"benign"}]}'));
  if (!route.body) return fc.constantFrom(undefined, undefined, "{}", "[1]");
  const fitting = valueOf(schemaOf(route.body)).map((value) => JSON.stringify(value) ?? "");
  return fc.oneof(
    { weight: 6, arbitrary: fitting },
    { weight: 1, arbitrary: fc.constantFrom(...rubbishBodies) },
    { weight: 1, arbitrary: anything.map((value) => JSON.stringify(value)) },
  );
}

function fieldsOf(fields: z.ZodObject | undefined): fc.Arbitrary<Record<string, unknown>> {
  if (!fields)
    return fc.oneof({ weight: 5, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.constant({ unknown: "1" }) });
  return valueOf(schemaOf(fields)).map((value) => (typeof value === "object" && value !== null ? { ...value } : {}));
}

const schemaOf = (schema: z.ZodType): { root: Json; definitions: Json } => {
  const { $defs = {}, ...root } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Json & {
    $defs?: Json;
  };
  return { root, definitions: $defs };
};

function valueOf({ root, definitions }: { root: Json; definitions: Json }, depth = 0): fc.Arbitrary<unknown> {
  const inner = (schema: unknown): fc.Arbitrary<unknown> => valueOf({ root: schema as Json, definitions }, depth + 1);
  const fitting = fittingValue(root, definitions, inner, depth);
  return fc.oneof({ weight: 12, arbitrary: fitting }, { weight: 1, arbitrary: anything });
}

function fittingValue(
  schema: Json,
  definitions: Json,
  inner: (schema: unknown) => fc.Arbitrary<unknown>,
  depth: number,
): fc.Arbitrary<unknown> {
  const ref = schema["$ref"];
  if (typeof ref === "string") return depth > 6 ? anything : inner(definitions[ref.replace("#/$defs/", "")] ?? {});
  const choices = (schema["anyOf"] ?? schema["oneOf"] ?? schema["allOf"]) as Json[] | undefined;
  if (choices) return fc.oneof(...choices.map(inner));
  if (schema["enum"]) return fc.constantFrom(...(schema["enum"] as unknown[]));
  if ("const" in schema) return fc.constant(schema["const"]);
  switch (schema["type"]) {
    case "string":
      return schema["format"] === "date-time"
        ? fc.constant("2026-01-01T00:00:00Z")
        : fc.oneof(text, fc.constantFrom("distilbert", "latest", "1"));
    case "integer":
    case "number":
      return numberOf(schema);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(inner(schema["items"] ?? {}), { maxLength: 3 });
    case "object":
      return objectOf(schema, inner);
    default:
      return anything;
  }
}

function numberOf(schema: Json): fc.Arbitrary<number> {
  const least = Number(schema["minimum"] ?? schema["exclusiveMinimum"] ?? -10);
  const most = Number(schema["maximum"] ?? schema["exclusiveMaximum"] ?? least + 100);
  const inside =
    schema["type"] === "integer"
      ? fc.integer({ min: Math.ceil(least), max: Math.min(most, least + 1000) })
      : fc.double({ min: least, max: most, noNaN: true });
  return fc.oneof(
    { weight: 4, arbitrary: inside },
    { weight: 1, arbitrary: fc.constantFrom(-1, 0, 1.5, 2 ** 31, 2 ** 53, 1e300) },
  );
}

function objectOf(schema: Json, inner: (schema: unknown) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema["properties"] ?? {}) as Json).map(
    ([key, value]) => [key, inner(value)] as const,
  );
  const required = ((schema["required"] ?? []) as string[]).filter((key) => properties.some(([name]) => name === key));
  const known = fc.record(Object.fromEntries(properties), { requiredKeys: required });
  const strange = fc.dictionary(fc.constantFrom("extra", ...oddKeys), anything, { maxKeys: 1 });
  return fc
    .tuple(known, fc.oneof({ weight: 5, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: strange }))
    .map(([a, b]) => ({ ...b, ...a }));
}

const scalar = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));
const wellFormed = (value: string): string => value.toWellFormed();
/** An empty segment would be another path. */
const encodePart = (value: unknown): string => encodeURIComponent(wellFormed(scalar(value))) || "x";
