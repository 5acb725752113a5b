// Everything a change must pass, in one command; `--static` leaves the tests out. Goes on after a failure and says all.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { parseArgs } from "node:util";

const root = path.resolve(import.meta.dirname, "..");
const { values } = parseArgs({ options: { static: { type: "boolean", default: false } } });
const mostHistoryMb = 150;

interface Step {
  readonly name: string;
  readonly isTest?: boolean;
  run(): boolean;
}

const tool = (name: string, ...args: string[]): boolean =>
  spawnSync(path.join(root, "node_modules/.bin", name), args, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  }).status === 0;
const script = (file: string, ...args: string[]): boolean =>
  spawnSync(process.execPath, [path.join(root, file), ...args], { cwd: root, stdio: "inherit" }).status === 0;

const steps: readonly Step[] = [
  { name: "format", run: () => tool("biome", "format", ".") },
  { name: "lint", run: () => tool("oxlint", "--type-aware", "--deny-warnings") },
  { name: "types", run: () => tool("tsc", "--noEmit", "-p", "tsconfig.json") },
  { name: "rooms", run: () => tool("vitest", "run", "test/rooms.test.ts") },
  { name: "tests", isTest: true, run: () => tool("vitest", "run") },
  { name: "kernels", run: () => script("scripts/make-kernels.ts", "--check") },
  { name: "unused", run: () => tool("knip") },
  { name: "reference pages", run: () => script("scripts/generate.ts", "--check") },
  { name: `history of at most ${mostHistoryMb} MB`, run: isHistorySmall },
];

/** Weights lie in git: what a clone fetches must stay small. */
function isHistorySmall(): boolean {
  const { status, stdout } = spawnSync("git", ["count-objects", "-v"], { cwd: root, encoding: "utf8" });
  if (status !== 0) return true;
  const kib = [...stdout.matchAll(/^(?:size|size-pack): (\d+)$/gm)].reduce((sum, [, size]) => sum + Number(size), 0);
  process.stdout.write(`${(kib / 1024).toFixed(1)} MB\n`);
  return kib <= mostHistoryMb * 1024;
}

const failed: string[] = [];
for (const step of steps) {
  if (step.isTest && values.static) continue;
  process.stdout.write(`\n== ${step.name}\n`);
  const began = performance.now();
  const isFine = step.run();
  process.stdout.write(
    `== ${step.name}: ${isFine ? "fine" : "FAILED"} (${((performance.now() - began) / 1000).toFixed(1)} s)\n`,
  );
  if (!isFine) failed.push(step.name);
}
process.stdout.write(failed.length === 0 ? "\nAll fine.\n" : `\nFailed: ${failed.join(", ")}.\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
