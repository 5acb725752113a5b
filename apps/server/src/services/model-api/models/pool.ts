// The detectors that answer now. A swap loads the new one first and frees the old one after its last verdict, so that
// no request is dropped.
import { randomUUID } from "node:crypto";
import { AppError, type Code } from "@mlsec/contracts";
import type { CascadeSpec, DetectorManifest, DetectorVerdict, TokenAttribution } from "@mlsec/engine";
import type { AskOptions, Inference } from "../inference/inference.ts";
import { type ModelRef, slotOf } from "../names.ts";
import type { Catalogue, Located } from "./catalogue.ts";
import { type LabelMap, sidesOf } from "./foreign.ts";
import { type Budget, createBudget, weightBytes } from "./memory.ts";

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
  readonly cascade: CascadeSpec | undefined;
  /** What keeps it from being all that it could be. */
  readonly trouble: string | undefined;
  readonly open: Open;
}
/** Its handle in the worker: shared by every `Served` that stands for the same files. */
interface Open {
  readonly key: string;
  underWay: number;
  retired: boolean;
  released: boolean;
  /** Rises with every use, over all detectors. */
  usedAt: number;
  /** Fresh verdicts by the part of the cascade that gave them. */
  readonly answered: { student: number; full: number };
}
export interface Slot {
  readonly ref: ModelRef;
  readonly served: Served | undefined;
  readonly loading: Promise<Served> | undefined;
  readonly error: string | undefined;
  /** Unloaded to make room; loaded again when it is asked for. */
  readonly evicted: boolean;
}

export interface Pool {
  readonly memory: Budget;
  slots(): readonly Slot[];
  slot(name: string): Slot | undefined;
  /** Loads it unless it is loaded. */
  load(ref: ModelRef, labels?: LabelMap): Promise<Served>;
  /** Loads it if nothing must make room for it, else leaves it to be loaded when it is asked for. */
  offer(ref: ModelRef): Promise<Served | undefined>;
  /** Loads it anew and then switches; one that stood in for an unknown version only gets its version. */
  reload(ref: ModelRef): Promise<Served>;
  /** False when it was not loaded. */
  unload(ref: ModelRef): boolean;
  verdicts(served: Served, texts: readonly string[], options?: AskOptions): Promise<readonly DetectorVerdict[]>;
  attribute(served: Served, text: string, signal?: AbortSignal): Promise<readonly TokenAttribution[]>;
}

interface Options {
  readonly inference: Inference;
  readonly catalogue: Catalogue;
  readonly clock: () => Date;
  /** Of all weights together; undefined: no limit. */
  readonly budgetBytes: number | undefined;
  /** The slot that is never unloaded for another's sake. */
  readonly standard: string;
  /** Where the students of cascades lie; undefined: detectors answer alone. */
  readonly students: string | undefined;
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
  evicted?: boolean;
  labels?: LabelMap | undefined;
}

export function createPool(options: Options): Pool {
  const { inference, catalogue, clock, onChange, onError, students } = options;
  const entries = new Map<string, Entry>();
  let uses = 0;
  const memory = createBudget(options.budgetBytes, {
    loaded: () => [...entries.values()].flatMap(({ served }) => served ?? []),
    standard: options.standard,
    evict(served) {
      const entry = entries.get(served.slot);
      if (!entry) return;
      retire(served);
      Object.assign(entry, { served: undefined, evicted: true, labels: served.labelMap });
      onChange(served.slot, undefined);
    },
  });

  // Who found it in this turn of the event loop still gets to ask it.
  const releaseSoon = (open: Open): void => {
    setImmediate(() => {
      if (open.underWay > 0 || open.released) return;
      open.released = true;
      inference.release(open.key).catch(onError);
    });
  };
  const using = async <T>(open: Open, work: () => Promise<T>): Promise<T> => {
    open.underWay++;
    open.usedAt = ++uses;
    try {
      return await work();
    } finally {
      open.underWay--;
      if (open.retired && open.underWay === 0) releaseSoon(open);
    }
  };
  const retire = ({ open }: Served): void => {
    open.retired = true;
    releaseSoon(open);
  };

  const openAt = async (ref: ModelRef, located: Located, labelMap: LabelMap | undefined): Promise<Served> => {
    const key = randomUUID();
    const { cascade, trouble, ...loaded } = await inference.load(key, {
      folder: located.folder,
      ...(labelMap ? { labelMap: sidesOf(labelMap) } : {}),
      ...(students === undefined ? {} : { students }),
    });
    const open = {
      key,
      underWay: 0,
      retired: false,
      released: false,
      usedAt: ++uses,
      answered: { student: 0, full: 0 },
    };
    const named = { slot: slotOf(ref), name: ref.name, located, loadedAt: clock(), labelMap };
    return { ...named, ...loaded, cascade, trouble, open };
  };

  const swap = (entry: Entry, served: Served): Served => {
    const before = entry.served;
    Object.assign(entry, { served, evicted: false });
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
      if (!entry.served && !entry.loading && !entry.evicted && !isFailure(error)) entries.delete(slot);
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
    const slot = slotOf(entry.ref);
    memory.makeRoom(slot, await weightBytes(located.folder));
    const fresh = await openAt(entry.ref, located, labels ?? served?.labelMap ?? entry.labels);
    try {
      // What a model really takes is known only now.
      memory.makeRoom(slot, fresh.memoryBytes);
    } catch (error) {
      retire(fresh);
      throw error;
    }
    return swap(entry, fresh);
  };

  const load: Pool["load"] = (ref, labels) => {
    const served = entries.get(slotOf(ref))?.served;
    if (served && labels === undefined) return Promise.resolve(served);
    return change(ref, async (entry) => (labels === undefined && entry.served) || (await locateAndSwap(entry, labels)));
  };

  return {
    memory,
    slots: () => [...entries.values()].map(slotView),
    slot: (name) => {
      const entry = entries.get(name);
      return entry && slotView(entry);
    },
    load,
    async offer(ref) {
      if (memory.budgetBytes === undefined) return await load(ref);
      const located = await catalogue.locate(ref).catch(() => undefined);
      // What cannot even be found fails where it is seen: as a load.
      if (!located || memory.fits(slotOf(ref), await weightBytes(located.folder))) return await load(ref);
      entries.set(slotOf(ref), { ref, evicted: true });
      return undefined;
    },
    reload: (ref) => change(ref, (entry) => locateAndSwap(entry)),
    unload(ref) {
      const slot = slotOf(ref);
      const entry = entries.get(slot);
      if (entry?.evicted && !entry.loading) return entries.delete(slot);
      if (!entry?.served) return false;
      retire(entry.served);
      Object.assign(entry, { served: undefined, labels: undefined });
      if (!entry.loading) entries.delete(slot);
      onChange(slot, undefined);
      return true;
    },
    verdicts: ({ open }, texts, asked) =>
      using(open, async () => {
        const verdicts = await inference.verdicts(open.key, texts, asked);
        for (const { answeredBy } of verdicts) if (answeredBy && asked?.whole !== true) open.answered[answeredBy]++;
        return verdicts;
      }),
    attribute: ({ open }, text, signal) => using(open, () => inference.attribute(open.key, text, signal)),
  };
}

const slotView = ({ ref, served, loading, error, evicted = false }: Entry): Slot => ({
  ref,
  served,
  loading,
  error,
  evicted,
});

// A load that was refused leaves no trace; one that broke stays visible as failed.
const refusals: readonly Code[] = [
  "WEIGHTS_UNREACHABLE",
  "MODEL_NOT_FOUND",
  "MODEL_UNTRAINED",
  "LABELS_UNMAPPED",
  "FORBIDDEN",
  "UNAVAILABLE",
  "MODEL_MEMORY",
];
const isFailure = (error: unknown): boolean =>
  error !== undefined && !(error instanceof AppError && refusals.includes(error.code));
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
