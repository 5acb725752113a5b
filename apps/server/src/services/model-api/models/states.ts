// How the models look to a caller: what is loaded, what could be, and the encoders that only wait for training.
import fs from "node:fs/promises";
import path from "node:path";
import { AppError, type CascadeState, labels, type ModelState } from "@mlsec/contracts";
import { families, parseName, slotOf, unknownModel } from "../names.ts";
import type { Catalogue } from "./catalogue.ts";
import { type Download, type Downloads, hubSource } from "./downloads.ts";
import type { Pool, Served, Slot } from "./pool.ts";

export interface States {
  list(): Promise<ModelState[]>;
  /** MODEL_NOT_FOUND names the nearest. */
  get(asked: string): Promise<ModelState>;
  of(served: Served): Promise<ModelState>;
}

export function createStates(pool: Pool, catalogue: Catalogue, downloads: Downloads): States {
  const list = async (): Promise<ModelState[]> => {
    const live = pool.slots();
    const coming = downloads.list().filter(({ name }) => !live.some((slot) => slotOf(slot.ref) === name));
    const taken = new Set([...live.map(({ ref }) => slotOf(ref)), ...coming.map(({ name }) => name)]);
    const loadable = await catalogue.loadable();
    const idle = (await catalogue.names()).filter((name) => !taken.has(name));
    return [
      ...(await Promise.all(live.map(slotState))),
      ...coming.map(comingState),
      ...idle.map((name) => unloaded(name, loadable.includes(name))),
      ...(await Promise.all(families.map((name) => encoderState(name, downloads)))),
    ].sort((a, b) => (a.name < b.name ? -1 : 1));
  };
  return {
    list,
    async get(asked) {
      const ref = parseName(asked);
      const states = await list();
      const found = states.find(({ name }) => name === slotOf(ref));
      if (found) return found;
      if (ref.version !== undefined && states.some(({ name }) => name === ref.name))
        throw new AppError("MODEL_NOT_LOADED", `version ${ref.version} of "${ref.name}" is not loaded`);
      throw unknownModel(asked, await catalogue.names());
    },
    of: servedState,
  };
}

const nothing: Omit<ModelState, "name" | "state" | "source"> = {
  version: null,
  kind: "transformer",
  labels: [...labels],
  calibrated: false,
  threshold: null,
  threshold_fpr: null,
  size_bytes: 0,
  memory_bytes: 0,
  alias: null,
  cascade: null,
  loaded_at: null,
  error: null,
};

const unloaded = (name: string, isLoadable: boolean): ModelState => ({
  ...nothing,
  name,
  state: "unloaded",
  source: isLoadable ? `models:/security_${name}@champion` : sourceOf(name),
  error: isLoadable ? null : "no version of it is trained: POST /train (8002) trains one",
});

const sourceOf = (name: string): string => {
  const source = hubSource(name);
  return source ? `hf:${source.repository}@${source.revision}` : `models:/security_${name}`;
};

async function encoderState(name: (typeof families)[number], downloads: Downloads): Promise<ModelState> {
  const isShipped = name === "distilbert";
  const source = hubSource(name);
  const isHere = isShipped || (source !== undefined && (await downloads.find(source)) !== undefined);
  return {
    ...nothing,
    name: `${name}_pretrained`,
    state: "untrained",
    kind: "encoder",
    labels: [],
    source: isShipped ? "file:models/minilm-l6" : sourceOf(name),
    error: isHere ? null : "not on this machine yet: training fetches it from the hub",
  };
}

/** On its way from the hub, or failed there. */
const comingState = ({ name, doneBytes, totalBytes, error }: Download): ModelState => ({
  ...nothing,
  name,
  state: error === undefined ? "loading" : "failed",
  source: sourceOf(name),
  download: { done_bytes: doneBytes, total_bytes: totalBytes },
  error: error ?? null,
});

async function slotState({ ref, served, loading, error, evicted }: Slot): Promise<ModelState> {
  if (served) {
    const state = await servedState(served);
    return { ...state, error: error ?? state.error };
  }
  if (evicted && !loading && error === undefined)
    return {
      ...nothing,
      name: slotOf(ref),
      state: "unloaded",
      source: slotOf(ref),
      error: "unloaded to keep to MLSEC_MODEL_MEMORY_MB; the next request for it loads it again",
    };
  const state = loading ? "loading" : "failed";
  return { ...nothing, name: slotOf(ref), state, source: slotOf(ref), error: error ?? null };
}

async function servedState(served: Served): Promise<ModelState> {
  const { manifest, located } = served;
  return {
    name: served.slot,
    version: located.version,
    state: "loaded",
    kind: manifest.kind,
    labels: [...manifest.labels],
    calibrated: manifest.calibrated,
    threshold: manifest.threshold,
    threshold_fpr: manifest.thresholdFpr,
    size_bytes: await folderBytes(located.folder),
    memory_bytes: served.memoryBytes,
    source: located.source,
    alias: located.alias,
    cascade: cascadeState(served),
    loaded_at: served.loadedAt.toISOString(),
    error: located.provisional ?? served.trouble ?? null,
  };
}

function cascadeState({ cascade, open }: Served): CascadeState | null {
  if (!cascade) return null;
  const { student, band, figures } = cascade;
  const agreements = Object.values(figures).map(({ agreement }) => agreement.value);
  return {
    student: student.name,
    lower: band.lower,
    upper: band.upper,
    max_chars: band.maxChars,
    agreement: agreements.length === 0 ? null : Math.min(...agreements),
    answered: { ...open.answered },
  };
}

async function folderBytes(folder: string): Promise<number> {
  const names = await fs.readdir(folder).catch(() => []);
  const stats = await Promise.all(names.map((name) => fs.stat(path.join(folder, name)).catch(() => undefined)));
  return stats.reduce((sum, stat) => sum + (stat?.isFile() ? stat.size : 0), 0);
}
