// Other processes by their id: whether one still runs, whether it is still the same one, and what it runs.
import { execFileSync } from "node:child_process";
import fs from "node:fs";

/** Whether a process with this id runs; one that belongs to somebody else counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A dead process that nobody has waited for yet, as under a container's careless first process. */
function isZombie(pid: number): boolean {
  return process.platform === "linux" && statFields(pid)?.[0] === "Z";
}

/** A word that changes when the id is used again for another process; undefined where the system does not tell. */
export function birthOf(pid: number): string | undefined {
  if (process.platform === "linux") return statFields(pid)?.[19];
  if (process.platform === "win32") return undefined;
  return ps(pid, "lstart=");
}

/** The command line, as far as the system tells. */
export function commandOf(pid: number): string | undefined {
  if (process.platform !== "linux") return process.platform === "win32" ? undefined : ps(pid, "command=");
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return undefined;
  }
}

/** /proc/PID/stat from the third field (state) on; the second, the name, may hold blanks and parentheses. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function ps(pid: number, field: string): string | undefined {
  try {
    return execFileSync("ps", ["-o", field, "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}
