/** Training state on disk: weights, Adam moments, losses so far. Shuffles and masks are functions of seed and step. */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";
import { readSafetensors, writeSafetensors } from "../weights/safetensors-file.ts";
import type { Moments } from "./optimiser.ts";
import type { Parameters } from "./parameters.ts";

/** The best evaluation so far; lower is better. */
interface Best {
  readonly step: number;
  readonly score: number;
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/** What changes while training. */
export interface TrainState {
  /** Updates done. */
  step: number;
  readonly losses: number[];
  best: Best | undefined;
  /** Evaluations since the best one. */
  stale: number;
}

/** Where a checkpoint belongs. */
export interface CheckpointPlace {
  readonly folder: string;
  /** Describes rows and settings: a checkpoint of another run is refused. */
  readonly fingerprint: string;
  readonly parameters: Parameters;
  readonly moments: ReadonlyMap<string, Moments>;
}

const fileName = "checkpoint.safetensors";

/** Writes the state atomically: a kill leaves the checkpoint before it. */
export async function saveCheckpoint(state: TrainState, place: CheckpointPlace): Promise<void> {
  await mkdir(place.folder, { recursive: true });
  const tensors = [...place.moments].flatMap(([name, { m, v }]) => {
    const data = place.parameters.get(name)?.data ?? new Float32Array();
    const best = state.best?.weights.get(name);
    return [
      { name: `weight/${name}`, data },
      { name: `m/${name}`, data: m },
      { name: `v/${name}`, data: v },
      ...(best === undefined ? [] : [{ name: `best/${name}`, data: best }]),
    ];
  });
  const { step, losses, stale } = state;
  const best = state.best && { step: state.best.step, score: state.best.score };
  await writeSafetensors(
    join(place.folder, fileName),
    tensors.map(({ name, data }) => ({ name, dtype: "F32", shape: [data.length], data })),
    { state: JSON.stringify({ step, losses, stale, best }), fingerprint: place.fingerprint },
  );
}

/**
 * Loads a checkpoint into weights and moments; `undefined` when there is none.
 * @throws EngineError CONFIG when it belongs to other rows or settings.
 */
export async function loadCheckpoint(place: CheckpointPlace): Promise<TrainState | undefined> {
  const where = join(place.folder, fileName);
  const exists = await stat(where).then(
    () => true,
    () => false,
  );
  if (!exists) return undefined;
  const { tensors, metadata } = await readSafetensors(where);
  if (metadata["fingerprint"] !== place.fingerprint) {
    const message = "the checkpoint belongs to a run with other rows or settings: remove it or restore them";
    throw new EngineError("CONFIG", message, { where, expected: place.fingerprint, got: metadata["fingerprint"] });
  }
  const weights = new Map<string, Float32Array>();
  for (const [name, { m, v }] of place.moments) {
    const read = (kind: string): Float32Array | undefined => tensors.get(`${kind}/${name}`)?.toFloat32();
    place.parameters.get(name)?.data.set(read("weight") ?? []);
    m.set(read("m") ?? []);
    v.set(read("v") ?? []);
    const best = read("best");
    if (best !== undefined) weights.set(name, best);
  }
  const saved: Omit<TrainState, "best"> & { best?: { step: number; score: number } } = JSON.parse(
    metadata["state"] ?? "{}",
  );
  return { ...saved, best: saved.best && { ...saved.best, weights } };
}
