// npm run pack -- engine: the engine as a package that anybody may install. Node does not strip types under node_modules,
// so it is compiled first. `--out FOLDER` puts the tarball elsewhere than packages/engine/dist.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

const root = path.resolve(import.meta.dirname, "..");
const { values, positionals } = parseArgs({ options: { out: { type: "string" } }, allowPositionals: true });
if (positionals.join() !== "engine") throw new Error("npm run pack -- engine: the engine is what is published");

const source = path.join(root, "packages/engine");
const out = path.resolve(values.out ?? path.join(source, "dist"));
const folder = path.join(out, "package");
fs.rmSync(folder, { recursive: true, force: true });
fs.mkdirSync(folder, { recursive: true });
compile();
copyTables();
describe();
const tarball =
  run(npm(), ["pack", "--pack-destination", out, "--loglevel=error"], folder).trim().split("\n").at(-1) ?? "";
process.stdout.write(`${path.join(out, tarball)}\n`);

function compile(): void {
  const config = path.join(out, "tsconfig.json");
  const src = path.join(source, "src");
  fs.writeFileSync(
    config,
    JSON.stringify({
      extends: path.join(root, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        rewriteRelativeImportExtensions: true,
        target: "es2023",
        rootDir: src,
        outDir: path.join(folder, "dist"),
        typeRoots: [path.join(root, "node_modules/@types")],
      },
      include: [src],
      exclude: [`${src}/**/*.test.ts`, `${src}/**/testing`],
    }),
  );
  run(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", config], root);
  fs.rmSync(config);
}

/** What is read or imported beside the code and no compiler copies. */
function copyTables(): void {
  const src = path.join(source, "src");
  for (const file of fs.readdirSync(src, { recursive: true, encoding: "utf8" })) {
    if (!/\.(json|wasm)$/.test(file) || file.includes("testing")) continue;
    fs.cpSync(path.join(src, file), path.join(folder, "dist", file));
  }
  fs.cpSync(path.join(source, "README.md"), path.join(folder, "README.md"));
  for (const file of ["LICENSE", "NOTICE"]) fs.cpSync(path.join(root, file), path.join(folder, file));
}

function describe(): void {
  const { name, version, license, type, exports, dependencies } = JSON.parse(
    fs.readFileSync(path.join(source, "package.json"), "utf8"),
  ) as Record<string, unknown> & { exports: Record<string, string> };
  const compiled = Object.entries(exports).map(([entry, file]) => {
    const bare = file.replace("./src/", "./dist/").replace(/\.ts$/, "");
    return [entry, { types: `${bare}.d.ts`, default: `${bare}.js` }];
  });
  const about = {
    name,
    version,
    description: "Define, train, quantise and serve transformer text classifiers from TypeScript, without Python.",
    license,
    type,
    engines: { node: ">=20.11" },
    exports: Object.fromEntries(compiled) as unknown,
    files: ["dist"],
    dependencies,
  };
  fs.writeFileSync(path.join(folder, "package.json"), `${JSON.stringify(about, null, 2)}\n`);
}

function npm(): string {
  return process.platform === "win32" ? "npm.cmd" : "npm";
}

function run(program: string, args: readonly string[], cwd: string): string {
  const shell = process.platform === "win32";
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: "utf8", shell });
  if (status !== 0) throw new Error(`${path.basename(program)} failed: ${error?.message ?? `${stdout}${stderr}`}`);
  return stdout;
}
