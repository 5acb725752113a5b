/** The architecture as a test: which room may import which, which npm package lives where, no cycles, no giant files. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseSync } from "oxc-parser";
import { expect, test } from "vitest";

/** A room may import itself and the rooms listed here, nothing else. The longest matching name counts. */
const rooms: Record<string, readonly string[]> = {
  "packages/contracts": [],
  // The engine's rooms, lowest first. What every room needs (error.ts) lies at its root.
  "packages/engine": ["packages/engine/*"],
  "packages/engine/error": [],
  "packages/engine/tensor": ["packages/engine/error"],
  "packages/engine/onnx": ["packages/engine/error"],
  "packages/engine/weights": ["packages/engine/error", "packages/engine/tensor"],
  "packages/engine/hub": ["packages/engine/error"],
  "packages/engine/tokenizers": ["packages/engine/error"],
  "packages/engine/views": ["packages/engine/error"],
  "packages/engine/metrics": ["packages/engine/error", "packages/engine/tensor"],
  "packages/engine/linear": ["packages/engine/error", "packages/engine/tensor", "packages/engine/weights"],
  "packages/engine/graph": ["packages/engine/error", "packages/engine/tensor", "packages/engine/onnx"],
  "packages/engine/ops": [
    "packages/engine/error",
    "packages/engine/tensor",
    "packages/engine/graph",
    "packages/engine/onnx",
  ],
  "packages/engine/nn": [
    "packages/engine/error",
    "packages/engine/tensor",
    "packages/engine/graph",
    "packages/engine/ops",
  ],
  "packages/engine/models": [
    "packages/engine/error",
    "packages/engine/tensor",
    "packages/engine/graph",
    "packages/engine/ops",
    "packages/engine/nn",
    "packages/engine/weights",
  ],
  "packages/engine/train": [
    "packages/engine/error",
    "packages/engine/tensor",
    "packages/engine/onnx",
    "packages/engine/graph",
    "packages/engine/ops",
    "packages/engine/nn",
    "packages/engine/models",
    "packages/engine/weights",
    "packages/engine/tokenizers",
    "packages/engine/metrics",
    "packages/engine/infer",
  ],
  "packages/engine/infer": [
    "packages/engine/error",
    "packages/engine/tensor",
    "packages/engine/onnx",
    "packages/engine/graph",
    "packages/engine/ops",
    "packages/engine/nn",
    "packages/engine/models",
    "packages/engine/weights",
    "packages/engine/tokenizers",
  ],
  "packages/engine/verdict": [
    "packages/engine/error",
    "packages/engine/tensor",
    "packages/engine/infer",
    "packages/engine/models",
    "packages/engine/weights",
    "packages/engine/tokenizers",
    "packages/engine/views",
    "packages/engine/metrics",
    "packages/engine/linear",
  ],
  "packages/attacks": ["packages/contracts", "@mlsec/engine/views"],
  "apps/dashboard": ["packages/contracts", "@mlsec/engine/web", "@mlsec/engine/models/*"],
  "apps/cli": ["packages/contracts", "packages/engine"],
  "apps/server/platform": ["packages/contracts"],
  "apps/server/services/*": ["apps/server/platform", "packages/contracts", "packages/engine", "packages/attacks"],
  "apps/server/main": ["apps/server/services/*", "apps/server/platform", "packages/contracts"],
};

/** Where an npm package may be imported. What is not listed is allowed nowhere. */
const packages: Record<string, readonly string[]> = {
  zod: ["packages/contracts", "apps/server"],
  "onnxruntime-node": ["packages/engine"],
  "onnxruntime-common": ["packages/engine"],
  hono: ["apps/server/platform"],
  "@hono/node-server": ["apps/server/platform"],
  pino: ["apps/server/platform"],
  "prom-client": ["apps/server/platform"],
  pg: ["apps/server/platform"],
  "pg-boss": ["apps/server/platform"],
  "lru-cache": ["apps/server/services/model-api"],
  "@fastify/busboy": ["apps/server/services/training"],
  "csv-parse": ["apps/server/services/training"],
  aws4fetch: ["apps/server/platform"],
  "fast-xml-parser": ["apps/server/platform", "apps/server/services/object-storage"],
  commander: ["apps/cli"],
  "cli-progress": ["apps/cli"],
  react: ["apps/dashboard"],
  "react-dom": ["apps/dashboard"],
  recharts: ["apps/dashboard"],
  "onnxruntime-web": ["apps/dashboard"],
};
const maxLines = 600;
const forbiddenNames = /(^|\/)(shared|common|core|utils?|helpers?|manager|base|misc)(\.tsx?|\/)|-v2\./;

/** "apps/server/src/services/training/store.ts" → "apps/server/services/training" */
export function roomOf(file: string): string {
  const [kind, name, , area = "", inner = ""] = file.split("/");
  const top = `${kind}/${name}`;
  if (top === "apps/server") {
    if (area === "services") return `apps/server/services/${inner}`;
    return area === "platform" ? "apps/server/platform" : "apps/server/main";
  }
  if (top !== "packages/engine") return top;
  return area.endsWith(".ts") ? (area === "error.ts" ? "packages/engine/error" : top) : `${top}/${area}`;
}
const rulesFor = (room: string): readonly string[] | undefined => rooms[room] ?? rooms[room.replace(/\/[^/]+$/, "/*")];
const allows = (rules: readonly string[], target: string): boolean =>
  rules.some((rule) => rule === target || (rule.endsWith("/*") && target.startsWith(rule.slice(0, -1))));

const sources = ["packages", "apps"]
  .flatMap((kind) => readdirSync(kind).map((name) => `${kind}/${name}/src`))
  .flatMap((src) => readdirSync(src, { recursive: true, encoding: "utf8" }).map((f) => `${src}/${f}`))
  .filter((f) => /\.tsx?$/.test(f) && !f.endsWith(".d.ts"));
const files = sources.filter((f) => !/\.test\.|\/testing\//.test(f));

/** Every module a file imports, dynamic imports of literals included. */
function importsOf(file: string): string[] {
  const { module, program } = parseSync(file, readFileSync(file, "utf8"));
  const dynamic: string[] = [];
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk);
    if (typeof node !== "object" || node === null) return;
    const { type, source } = node as { type?: string; source?: { value?: unknown } };
    if (type === "ImportExpression" && typeof source?.value === "string") dynamic.push(source.value);
    Object.values(node).forEach(walk);
  };
  walk(program.body);
  const fixed = [...module.staticImports, ...module.staticExports.flatMap((e) => e.entries)].flatMap(
    (i) => i.moduleRequest?.value ?? [],
  );
  return [...new Set([...fixed, ...dynamic])].filter((s) => !s.startsWith("node:"));
}
const imports = new Map(files.map((file) => [file, importsOf(file)]));
const resolve = (file: string, specifier: string): string => path.posix.join(path.posix.dirname(file), specifier);

test.each(files)("%s", (file) => {
  const room = roomOf(file);
  const rules = rulesFor(room);
  expect(rules, `no rule for room ${room}`).toBeDefined();
  const wrong = (imports.get(file) ?? []).filter((specifier) => {
    if (specifier.startsWith(".")) {
      const target = roomOf(resolve(file, specifier));
      return target !== room && !allows(rules ?? [], target);
    }
    if (specifier.startsWith("@mlsec/")) {
      const [, name] = specifier.split("/");
      return !allows(rules ?? [], specifier) && !allows(rules ?? [], `packages/${name}`);
    }
    const name = specifier.startsWith("@")
      ? specifier.split("/").slice(0, 2).join("/")
      : (specifier.split("/")[0] ?? "");
    return !(packages[name] ?? []).some((allowed) => room === allowed || room.startsWith(`${allowed}/`));
  });
  expect(wrong).toEqual([]);
  expect(readFileSync(file, "utf8").split("\n").length, "lines").toBeLessThanOrEqual(maxLines);
  expect(file).not.toMatch(forbiddenNames);
});

test("no import cycles, types included", () => {
  const state = new Map<string, "open" | "done">();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      cycles.push([...trail.slice(trail.indexOf(file)), file].join(" → "));
      return;
    }
    state.set(file, "open");
    for (const specifier of imports.get(file) ?? []) {
      const target = specifier.startsWith(".") ? resolve(file, specifier) : undefined;
      if (target && imports.has(target)) visit(target, [...trail, file]);
    }
    state.set(file, "done");
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

test("what a browser gets of the engine reaches no Node module and no ONNX Runtime", () => {
  const entries = [
    "packages/engine/src/web.ts",
    ...files.filter((f) => /^packages\/engine\/src\/models\/(?!registry)/.test(f)),
  ];
  const seen = new Set<string>();
  const wrong: string[] = [];
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const { module } = parseSync(file, readFileSync(file, "utf8"));
    const loaded = [
      ...module.staticImports.filter((i) => i.entries.length === 0 || i.entries.some((e) => !e.isType)),
      ...module.staticExports.flatMap((e) => e.entries).filter((e) => !e.isType),
    ].flatMap((i) => i.moduleRequest?.value ?? []);
    for (const specifier of loaded) {
      if (!specifier.startsWith(".")) wrong.push(`${file} → ${specifier}`);
      else if (specifier.endsWith(".ts")) visit(resolve(file, specifier));
    }
    const code = readFileSync(file, "utf8").replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
    for (const [name] of code.matchAll(/\bBuffer\b|\bprocess\.|\b__dirname\b|import\.meta/g))
      wrong.push(`${file}: ${name}`);
  };
  for (const entry of entries) visit(entry);
  expect(wrong).toEqual([]);
  expect(seen.size).toBeGreaterThan(80);
});

test("SQL stands in stores, migrations and the platform's database and job rooms only", () => {
  const allowed = /store\.ts$|store\/|platform\/(db|jobs|testing)\//;
  const sql = /`\s*(select|insert into|update|delete from|create table|alter table)\s/i;
  expect(
    files.filter((f) => f.startsWith("apps/server") && !allowed.test(f) && sql.test(readFileSync(f, "utf8"))),
  ).toEqual([]);
});

test("process.env is read in one file per app", () => {
  const readers = files.filter((f) => /process\.env/.test(readFileSync(f, "utf8")));
  expect(readers.filter((f) => f.startsWith("packages/"))).toEqual([]);
  for (const app of ["apps/server", "apps/cli", "apps/dashboard"])
    expect(readers.filter((f) => f.startsWith(app)).length).toBeLessThanOrEqual(1);
});

test("the check saw the code", () => {
  expect(files.length).toBeGreaterThan(100);
  expect(new Set(files.map(roomOf)).size).toBeGreaterThan(20);
});
