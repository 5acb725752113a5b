/** The OpenAPI 3.1 document of a contract. Named schemas (`.meta({ id })`) become components. */
import * as z from "zod";
import { Problem } from "./error.ts";
import type { Contract, Route } from "./route.ts";

type Json = { [key: string]: unknown };
interface Info {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
}

/**
 * Describes a contract.
 * @returns a plain object ready for JSON
 * @example
 * const document = openapi({ title: "Model API", version: "1" }, modelApi);
 */
export function openapi(info: Info, contract: Contract): Json {
  const components: Json = {};
  const schema = (s: z.ZodType, io: "input" | "output"): Json => hoist(s, io, components);
  const paths: Record<string, Json> = {};
  for (const [operationId, r] of Object.entries(contract)) {
    paths[r.path] = { ...paths[r.path], [r.method.toLowerCase()]: operation(operationId, r, schema) };
  }
  return { openapi: "3.1.0", info, paths, components: { schemas: components } };
}

function operation(operationId: string, r: Route, schema: (s: z.ZodType, io: "input" | "output") => Json): Json {
  const parameters = [...parametersOf(r.params, "path", schema), ...parametersOf(r.query, "query", schema)];
  const responses: Json = {};
  for (const [status, s] of Object.entries(r.responses)) {
    responses[status] = { description: "Success", content: { [successType(r)]: { schema: schema(s, "output") } } };
  }
  responses["default"] = {
    description: "A problem document (RFC 9457)",
    content: { "application/problem+json": { schema: schema(Problem, "output") } },
  };
  return {
    operationId,
    summary: r.summary,
    ...(r.description ? { description: r.description } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBody(r, schema),
    responses,
    "x-scope": r.scope,
  };
}

const successType = (r: Route): string =>
  r.kind === "sse" ? "text/event-stream" : r.kind === "file" ? "application/octet-stream" : "application/json";

function requestBody(r: Route, schema: (s: z.ZodType, io: "input" | "output") => Json): Json {
  if (!r.body) return {};
  const json = { "application/json": { schema: schema(r.body, "input") } };
  const raw = { "application/octet-stream": {}, "multipart/form-data": {} };
  return { requestBody: { required: true, content: r.kind === "upload" ? { ...json, ...raw } : json } };
}

function parametersOf(
  fields: z.ZodObject | undefined,
  place: "path" | "query",
  schema: (s: z.ZodType, io: "input" | "output") => Json,
): Json[] {
  if (!fields) return [];
  return Object.entries(fields.shape).map(([name, s]) => {
    const field = s as z.ZodType;
    const required = place === "path" || !field.safeParse(undefined).success;
    const { description, ...rest } = schema(field, "input");
    return { name, in: place, required, ...(description ? { description } : {}), schema: rest };
  });
}

/** JSON Schema of one zod schema; what zod puts into `$defs` moves to the document's components. */
function hoist(s: z.ZodType, io: "input" | "output", components: Json): Json {
  const { $defs, ...all } = z.toJSONSchema(s, { io, unrepresentable: "any" }) as Json & {
    $defs?: Record<string, Json>;
  };
  const root = Object.fromEntries(Object.entries(all).filter(([key]) => key !== "$schema"));
  const names = new Map<string, string>();
  const definitions = { ...$defs };
  const rootId = z.globalRegistry.get(s)?.id;
  if (rootId && !definitions[rootId]) definitions[rootId] = root;
  for (const [id, definition] of Object.entries(definitions)) {
    const taken = components[id];
    const same = taken === undefined || JSON.stringify(taken) === JSON.stringify(relink(definition, names));
    names.set(id, same ? id : `${id}${io === "input" ? "Input" : "Output"}`);
  }
  for (const [id, definition] of Object.entries(definitions))
    components[names.get(id) ?? id] = relink(definition, names);
  return rootId ? { $ref: `#/components/schemas/${names.get(rootId) ?? rootId}` } : (relink(root, names) as Json);
}

/** Rewrites `#/$defs/X` to `#/components/schemas/X` and drops the ids zod leaves behind. */
function relink(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((v) => relink(v, names));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "id" || typeof (value as Json)["id"] !== "string")
      .map(([key, v]) => {
        if (key !== "$ref" || typeof v !== "string") return [key, relink(v, names)];
        const id = v.replace("#/$defs/", "");
        return [key, `#/components/schemas/${names.get(id) ?? id}`];
      }),
  );
}
