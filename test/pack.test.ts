// The engine as a stranger gets it: packed, installed in an empty folder, and the example of its README run there by the
// machine's own Node, which strips no types.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "./running-system.ts";

let folder = "";
/** Without the bundled Node, so that `node` and `npm` are the machine's where it has any. */
const ownPath = (process.env["PATH"] ?? "")
  .split(path.delimiter)
  .filter((place) => !place.includes(`node_modules${path.sep}node-`) && !place.includes(`node_modules${path.sep}.bin`))
  .join(path.delimiter);

function run(program: string, args: readonly string[], cwd = folder): { output: string; status: number | null } {
  const env: NodeJS.ProcessEnv = { PATH: ownPath, HOME: process.env["HOME"], SystemRoot: process.env["SystemRoot"] };
  const shell = process.platform === "win32";
  const { stdout, stderr, status } = spawnSync(program, args, { cwd, encoding: "utf8", env, shell });
  return { output: `${stdout}${stderr}`, status };
}

/** From npm's cache; where that is cold the package is unpacked by hand beside the project's own ONNX Runtime. */
function install(tarball: string): void {
  const flags = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  if (run("npm", ["install", ...flags, tarball]).status === 0) return;
  const modules = path.join(folder, "node_modules");
  fs.rmSync(modules, { recursive: true, force: true });
  const place = path.join(modules, "@mlsec/engine");
  fs.mkdirSync(place, { recursive: true });
  expect(run("tar", ["-xzf", tarball, "--strip-components=1", "-C", place])).toMatchObject({ status: 0 });
  for (const name of ["onnxruntime-node", "onnxruntime-common"])
    fs.symlinkSync(path.join(root, "node_modules", name), path.join(modules, name), "junction");
}

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-pack-"));
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const pack = path.join(root, "scripts/pack.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [pack, "engine", "--out", path.join(folder, "out")], {
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  install(stdout.trim());
}, 240_000);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

test("the package says what it is and holds no source, test or fixture", () => {
  const place = path.join(folder, "node_modules/@mlsec/engine");
  const about = JSON.parse(fs.readFileSync(path.join(place, "package.json"), "utf8")) as Record<string, unknown>;
  expect(Object.keys(about["exports"] as object)).toEqual([".", "./views", "./web", "./models/*"]);
  expect(about["dependencies"]).toEqual({ "onnxruntime-node": expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  const files = fs.readdirSync(place, { recursive: true, encoding: "utf8" });
  expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", path.join("dist", "tensor", "kernels.wasm")]));
  expect(files.filter((file) => /\.test\.|fixtures|testing|(?<!\.d)\.ts$/.test(file))).toEqual([]);
});

test("the README's example trains, quantises and serves a toy", () => {
  const readme = fs.readFileSync(path.join(folder, "node_modules/@mlsec/engine/README.md"), "utf8");
  const [, example = ""] = /```js\n([^]*?)```/.exec(readme) ?? [];
  expect(example.split("\n").length).toBeLessThan(50);
  fs.writeFileSync(path.join(folder, "example.mjs"), example);
  const { output, status } = run("node", ["example.mjs"]);
  expect(status, output).toBe(0);
  expect(output).toMatch(/^distilbert: 1 layers of 16$/m);
  expect(Number(/accuracy (\d\.\d+)/.exec(output)?.[1])).toBeGreaterThan(0.9);
  expect(output).toMatch(/^prompt_injection \d\.\d+ [1-9]/m);
  expect(output).toMatch(/^benign \d\.\d+ 0$/m);
}, 120_000);

test("every entry loads by itself, and its types are found", () => {
  const code = `
    const web = await import("@mlsec/engine/web");
    const views = await import("@mlsec/engine/views");
    const { default: bert } = await import("@mlsec/engine/models/bert");
    console.log([typeof web.openDetector, typeof views.viewsOf, bert.modelType].join());`;
  expect(run("node", ["--input-type=module", "-e", code])).toEqual({ output: "function,function,bert\n", status: 0 });
  const use = `
    import { openDetector, type Detector } from "@mlsec/engine";
    import bert from "@mlsec/engine/models/bert";
    import { openDetector as inBrowser } from "@mlsec/engine/web";
    export const here: Promise<Detector> = openDetector("folder", { provider: "cpu" });
    export const there: Promise<Detector> = inBrowser(async () => new Uint8Array(), { architectures: [bert] });`;
  fs.writeFileSync(path.join(folder, "use.ts"), use);
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2023", "use.ts"];
  const types = ["--types", "node", "--typeRoots", path.join(root, "node_modules/@types")];
  const tsc = path.join(root, "node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, ...types], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(status, stdout).toBe(0);
}, 60_000);
