// One process per job folder: a child that outlives its parent for a moment must be gone before the next one writes.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "@mlsec/contracts";
import { birthOf, isAlive } from "../../../platform/process.ts";

const fileName = "lock.json";

/** Waits for a holder that is just ending; CONFLICT when it does not end. */
export async function lockFolder(folder: string, waitMs = 60_000): Promise<void> {
  const file = path.join(folder, fileName);
  const self = JSON.stringify({ pid: process.pid, birth: birthOf(process.pid) });
  for (let waited = 0; ; waited += 100) {
    try {
      fs.writeFileSync(file, self, { flag: "wx" });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (!isHeld(file)) fs.rmSync(file, { force: true });
    else if (waited >= waitMs) throw new AppError("CONFLICT", "another process works on this job");
    else await delay(100);
  }
}

function isHeld(file: string): boolean {
  try {
    const { pid, birth } = JSON.parse(fs.readFileSync(file, "utf8")) as { pid: number; birth?: string };
    return pid !== process.pid && isAlive(pid) && (birth === undefined || birthOf(pid) === birth);
  } catch {
    return false;
  }
}
