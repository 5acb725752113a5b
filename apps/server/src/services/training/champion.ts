// Moves of the champion: registry aliases, the audit row, and the Model API told to load it.
import { AppError } from "@mlsec/contracts";
import type { Clients } from "../../platform/http/clients.ts";
import { describeError, type Logger } from "../../platform/telemetry/log.ts";
import type { Registry } from "./registry.ts";
import type { JobStore } from "./store.ts";

export interface MoveParts {
  readonly registry: Registry;
  readonly store: JobStore;
  readonly clients: Clients;
  readonly log: Logger;
  readonly clock: () => Date;
}
export interface Move {
  readonly name: string;
  readonly version: string;
  readonly reason: string;
  readonly principal: string;
}

/** `champion` → this version, `previous` → the one before; a candidate that became champion is no candidate any more. */
export async function moveChampion(parts: MoveParts, { name, version, reason, principal }: Move) {
  const { registry, store, clock } = parts;
  const before = await registry.aliases(name);
  const previous = before.champion ?? null;
  if (previous !== null && previous !== version) await registry.setAlias(name, "previous", previous);
  await registry.setAlias(name, "champion", version);
  if (before.candidate === version) await registry.dropAlias(name, "candidate");
  await store.addMove({
    at: clock(),
    model_name: name,
    alias: "champion",
    version,
    previous_version: previous,
    reason,
    principal,
  });
  await reload(parts, name);
  return { model_name: name, alias: "champion" as const, version, previous_version: previous, reason };
}

/** NOT_FOUND when there is no such version. */
export async function promoteVersion(parts: MoveParts, move: Move) {
  if (!(await parts.registry.version(move.name, move.version)))
    throw new AppError("NOT_FOUND", `${move.name} has no version ${move.version}; GET /models/registry lists them`);
  return moveChampion(parts, move);
}

/** Back to the version that was champion before, or to a given one. */
export async function rollBack(parts: MoveParts, move: Omit<Move, "version"> & { version?: string | undefined }) {
  const { previous, champion } = await parts.registry.aliases(move.name);
  const version = move.version ?? previous;
  if (version === undefined)
    throw new AppError("CONFLICT", `${move.name} has no champion before this one; name a version`);
  if (version === champion) throw new AppError("CONFLICT", `version ${version} is the champion already`);
  return promoteVersion(parts, { ...move, version });
}

/** The registry is the truth; a Model API that cannot be reached now reads it when it starts. */
async function reload({ clients, log }: MoveParts, name: string): Promise<void> {
  await clients["model-api"].reloadModel({ params: { name } }).catch((error: unknown) => {
    log.warn({ model: name, error: describeError(error) }, "the Model API did not load the new champion");
  });
}
