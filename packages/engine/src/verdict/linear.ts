/** A linear model as a scorer. */
import { EngineError } from "../error.ts";
import type { DetectorManifest } from "./manifest.ts";
import type { Scorer } from "./scorer.ts";

/**
 * Opens the linear model of a detector folder.
 * @throws EngineError WEIGHTS when `linear.bin` is missing or damaged.
 * @example
 * const scorer = await openLinear("models/linear", manifest);
 */
export async function openLinear(folder: string, manifest: DetectorManifest): Promise<Scorer> {
  throw new EngineError("CONFIG", "linear detectors cannot be opened yet", { where: folder, got: manifest.kind });
}
