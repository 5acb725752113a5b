// One system per data folder: a file that names its holder. A holder that died, kill -9 included, holds nothing.
import fs from "node:fs";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import { birthOf, isAlive } from "./process.ts";

export interface Holder {
  readonly pid: number;
  /** Tells the holder from a later process with the same id. */
  readonly birth?: string;
  readonly address?: string;
}
export interface DataLock {
  /** Writes where the holder can be reached, for whoever tries next. */
  announce(address: string): void;
  release(): void;
}

/** CONFLICT names the process that has the folder and where it answers. */
export function lockDataDir(dataDir: string): DataLock {
  fs.mkdirSync(dataDir, { recursive: true });
  const file = path.join(dataDir, "lock.json");
  const birth = birthOf(process.pid);
  const self: Holder = { pid: process.pid, ...(birth === undefined ? {} : { birth }) };
  for (let attempt = 0; ; attempt++) {
    if (create(file, self)) break;
    const held = readHolder(file);
    if (held && isHeld(held)) throw taken(dataDir, held);
    if (attempt > 20) throw new AppError("CONFLICT", `${file} cannot be taken; remove it if no system runs`);
    clear(file, held);
  }
  return {
    announce: (address) => replace(file, { ...self, address }),
    release: () => {
      if (readHolder(file)?.pid === process.pid) fs.rmSync(file, { force: true });
    },
  };
}

export function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

const isHeld = ({ pid, birth }: Holder): boolean => isAlive(pid) && (birth === undefined || birthOf(pid) === birth);

function taken(dataDir: string, { pid, address }: Holder): AppError {
  const where = address === undefined ? "it is still starting" : `it answers at ${address}`;
  return new AppError("CONFLICT", `a system already runs on ${dataDir} (process ${pid}; ${where})`, { pid });
}

/** A link to a complete file, so that nobody ever reads half a lock. */
function create(file: string, holder: Holder): boolean {
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, JSON.stringify(holder));
  try {
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function replace(file: string, holder: Holder): void {
  fs.writeFileSync(`${file}.${process.pid}`, JSON.stringify(holder));
  fs.renameSync(`${file}.${process.pid}`, file);
}

/** Takes a dead holder's lock away. Whoever finds that it moved a living one's instead puts it back. */
function clear(file: string, dead: Holder | undefined): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    fs.renameSync(file, aside);
  } catch {
    return;
  }
  const moved = readHolder(aside);
  if (moved && moved.pid !== dead?.pid && isHeld(moved)) fs.linkSync(aside, file);
  fs.rmSync(aside, { force: true });
}
