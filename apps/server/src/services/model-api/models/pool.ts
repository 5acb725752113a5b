// The detectors that answer now. A swap loads the new one first and frees the old one after its last verdict, so that
// no request is dropped.
import { randomUUID } from "node:crypto";
import { AppError, type Code } from "@mlsec/contracts";
import type { DetectorManifest, DetectorVerdict } from "@mlsec/engine";
import type { Inference } from "../inference/inference.ts";
import { type ModelRef, slotOf } from "../names.ts";
import type { Catalogue, Located } from "./catalogue.ts";
import { type LabelMap, sidesOf } from "./foreign.ts";

/** An open detector. */
export interface Served {
  readonly slot: string;
  readonly name: string;
  readonly located: Located;
  readonly manifest: DetectorManifest;
  readonly memoryBytes: number;
  readonly loadedAt: Date;
  /** What the labels of a foreign detector mean. */
  readonly labelMap: LabelMap | undefined;
  readonly open: Open;
}
/** Its handle in the worker: shared by every `Served` that stands for the same files. */
interface Open {
  readonly key: string;
  underWay: number;
  retired: boolean;
}
export interface Slot {
  readonly ref: ModelRef;
  readonly served: Served | undefined;
  readonly loading: Promise<Served> | undefined;
  readonly error: string | undefined;
}

export interface Pool {
  slots(): readonly Slot[];
  slot(name: string): Slot | undefined;
  /** Loads it unless it is loaded. */
  load(ref: ModelRef, labels?: LabelMap): Promise<Served>;
  /** Loads it anew and then switches; one that stood in for an unknown version only gets its version. */
  reload(ref: ModelRef): Promise<Served>;
  /** False when it was not loaded. */
  unload(ref: ModelRef): boolean;
  verdicts(served: Served, texts: readonly string[], signal?: AbortSignal): Promise<readonly DetectorVerdict[]>;
}

interface Options {
  readonly inference: Inference;
  readonly catalogue: Catalogue;
  readonly clock: () => Date;
  /** After every change of what a slot serves. */
  readonly onChange: (slot: string, served: Served | undefined) => void;
  /** A freed detector could not be released. */
  readonly onError: (error: unknown) => void;
}

interface Entry {
  readonly ref: ModelRef;
  served?: Served | undefined;
  loading?: Promise<Served> | undefined;
  error?: string | undefined;
}

export function createPool({ inference, catalogue, clock, onChange, onError }: Options): Pool {
  const entries = new Map<string, Entry>();

  const retire = ({ open }: Served): void => {
    open.retired = true;
    if (open.underWay === 0) inference.release(open.key).catch(onError);
  };

  const openAt = async (ref: ModelRef, located: Located, labelMap: LabelMap | undefined): Promise<Served> => {
    const key = randomUUID();
    const { manifest, memoryBytes } = await inference.load(key, {
      folder: located.folder,
      ...(labelMap ? { labelMap: sidesOf(labelMap) } : {}),
    });
    const open = { key, underWay: 0, retired: false };
    return { slot: slotOf(ref), name: ref.name, located, manifest, memoryBytes, loadedAt: clock(), labelMap, open };
  };

  const swap = (entry: Entry, served: Served): Served => {
    const before = entry.served;
    entry.served = served;
    if (before && before.open !== served.open) retire(before);
    onChange(served.slot, served);
    return served;
  };

  /** One change of a slot at a time; a later one waits for the one under way. */
  const change = (ref: ModelRef, make: (entry: Entry) => Promise<Served>): Promise<Served> => {
    const slot = slotOf(ref);
    const entry = entries.get(slot) ?? { ref };
    const before = entry.loading?.catch(() => undefined) ?? Promise.resolve(undefined);
    const loading = before.then(() => make(entry));
    entry.loading = loading;
    entries.set(slot, entry);
    const settle = (error?: unknown): void => {
      entry.error = error === undefined ? undefined : messageOf(error);
      if (entry.loading === loading) entry.loading = undefined;
      if (!entry.served && !entry.loading && !isFailure(error)) entries.delete(slot);
    };
    loading.then(() => settle(), settle);
    return loading;
  };

  const locateAndSwap = async (entry: Entry, labels?: LabelMap): Promise<Served> => {
    const located = await catalogue.locate(entry.ref);
    const { served } = entry;
    // It was opened before the registry could say what it is: only its version was unknown.
    if (labels === undefined && served?.located.provisional !== undefined && served.located.folder === located.folder)
      return swap(entry, { ...served, located });
    return swap(entry, await openAt(entry.ref, located, labels ?? served?.labelMap));
  };

  return {
    slots: () => [...entries.values()].map(slotView),
    slot: (name) => {
      const entry = entries.get(name);
      return entry && slotView(entry);
    },
    load: (ref, labels) => {
      const served = entries.get(slotOf(ref))?.served;
      if (served && labels === undefined) return Promise.resolve(served);
      return change(
        ref,
        async (entry) => (labels === undefined && entry.served) || (await locateAndSwap(entry, labels)),
      );
    },
    reload: (ref) => change(ref, (entry) => locateAndSwap(entry)),
    unload(ref) {
      const slot = slotOf(ref);
      const entry = entries.get(slot);
      if (!entry?.served) return false;
      retire(entry.served);
      entry.served = undefined;
      if (!entry.loading) entries.delete(slot);
      onChange(slot, undefined);
      return true;
    },
    async verdicts({ open }, texts, signal) {
      open.underWay++;
      try {
        return await inference.verdicts(open.key, texts, signal);
      } finally {
        open.underWay--;
        if (open.retired && open.underWay === 0) inference.release(open.key).catch(onError);
      }
    },
  };
}

const slotView = ({ ref, served, loading, error }: Entry): Slot => ({ ref, served, loading, error });

// A load that was refused leaves no trace; one that broke stays visible as failed.
const refusals: readonly Code[] = [
  "WEIGHTS_UNREACHABLE",
  "MODEL_NOT_FOUND",
  "MODEL_UNTRAINED",
  "LABELS_UNMAPPED",
  "FORBIDDEN",
  "UNAVAILABLE",
];
const isFailure = (error: unknown): boolean =>
  error !== undefined && !(error instanceof AppError && refusals.includes(error.code));
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
