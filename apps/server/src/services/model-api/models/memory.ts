// The memory budget of loaded models: the least recently used one makes room, never the default and never one in use.
import fs from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mlsec/contracts";

/** What the budget needs to know of a loaded model. */
interface Held {
  readonly slot: string;
  readonly memoryBytes: number;
  readonly open: { readonly underWay: number; readonly usedAt: number };
}

export interface Budget {
  readonly usedBytes: number;
  readonly budgetBytes: number | undefined;
  readonly evictions: number;
  /** Whether so much more would fit as things are; what the slot itself holds is given back on a swap. */
  fits(slot: string, bytes: number): boolean;
  /** MODEL_MEMORY when it cannot be made. */
  makeRoom(slot: string, bytes: number): void;
}

interface Loaded<M extends Held> {
  readonly loaded: () => readonly M[];
  readonly standard: string;
  readonly evict: (model: M) => void;
}

export function createBudget<M extends Held>(
  budgetBytes: number | undefined,
  { loaded, standard, evict }: Loaded<M>,
): Budget {
  let evictions = 0;
  const used = (except?: string): number =>
    loaded().reduce((sum, { slot, memoryBytes }) => sum + (slot === except ? 0 : memoryBytes), 0);
  const fits = (slot: string, bytes: number): boolean => budgetBytes === undefined || used(slot) + bytes <= budgetBytes;
  return {
    get usedBytes() {
      return used();
    },
    budgetBytes,
    get evictions() {
      return evictions;
    },
    fits,
    makeRoom(slot, bytes) {
      while (!fits(slot, bytes)) {
        const idle = loaded().filter((one) => one.slot !== slot && one.slot !== standard && one.open.underWay === 0);
        const [oldest] = idle.toSorted((a, b) => a.open.usedAt - b.open.usedAt);
        if (!oldest) throw tooLarge(slot, bytes, budgetBytes ?? 0);
        evictions++;
        evict(oldest);
      }
    },
  };
}

function tooLarge(slot: string, bytes: number, budgetBytes: number): AppError {
  const mebibytes = (value: number): string => (value / 2 ** 20).toFixed(1);
  return new AppError(
    "MODEL_MEMORY",
    `"${slot}" needs ${mebibytes(bytes)} MiB, and the default model and those in use leave too little of ${mebibytes(budgetBytes)} MiB (MLSEC_MODEL_MEMORY_MB)`,
    { slot, bytes, budgetBytes },
  );
}

/** About what a folder's weights will take: the one file that will be read; what it really takes is known once loaded. */
export async function weightBytes(folder: string): Promise<number> {
  for (const name of ["model.int8.safetensors", "linear.bin", "model.safetensors", "pytorch_model.bin"]) {
    const found = await fs.stat(path.join(folder, name)).catch(() => undefined);
    if (found) return found.size;
  }
  return 0;
}
