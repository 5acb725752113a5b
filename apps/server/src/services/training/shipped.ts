// What the first start puts in place: the shipped rows in the store, the shipped detectors in the registry.
import fs from "node:fs";
import path from "node:path";
import type { ObjectStore } from "../../platform/storage/object-store.ts";
import { describeError } from "../../platform/telemetry/log.ts";
import { type MoveParts, moveChampion } from "./champion.ts";
import type { TrainingConfig } from "./config.ts";
import { exists } from "./files.ts";
import { firstDataKey } from "./locate.ts";
import { heldOutMetrics, sha256, versionTags } from "./publish.ts";

export async function storeFirstData(storage: ObjectStore, { bucket, firstData }: TrainingConfig): Promise<void> {
  if ((await storage.head(bucket, firstDataKey)) || !(await exists(firstData))) return;
  await storage.put(bucket, firstDataKey, fs.createReadStream(firstData), { contentType: "application/x-ndjson" });
}

/** Every folder with a detector.json as a version: version 1 and champion at first, a new version when the folder changed. */
export async function registerShipped(parts: MoveParts, { shippedDir }: TrainingConfig): Promise<void> {
  const entries = await fs.promises.readdir(shippedDir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter((e) => e.isDirectory()).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const folder = path.join(shippedDir, entry.name);
    if (!(await exists(path.join(folder, "detector.json")))) continue;
    try {
      await registerOne(parts, entry.name, folder);
    } catch (error) {
      // The detector is served from its folder all the same; the next start registers it.
      parts.log.warn({ model: entry.name, error: describeError(error) }, "a shipped detector could not be registered");
    }
  }
}

async function registerOne(parts: MoveParts, name: string, folder: string): Promise<void> {
  const { registry } = parts;
  const source = `file:models/${name}`;
  const digest = await sha256(path.join(folder, "detector.json"));
  const versions = await registry.versions(name);
  const shipped = versions.filter((v) => v.source === source);
  if (shipped.some((v) => v.tags.some(({ key, value }) => key === "mlsec.sha256" && value === digest))) return;
  const file = path.join(folder, "scorecard.json");
  const scorecard = (await exists(file))
    ? (JSON.parse(await fs.promises.readFile(file, "utf8")) as Record<string, unknown>)
    : {};
  const { version } = await registry.addVersion({
    name,
    source,
    description: "comes with the system",
    tags: { ...versionTags(heldOutMetrics(scorecard)), "mlsec.sha256": digest },
  });
  const { champion } = await registry.aliases(name);
  // A champion that was trained or chosen here is not replaced by an update of the software.
  if (champion !== undefined && !shipped.some((v) => String(v.version) === champion))
    return registry.setAlias(name, "candidate", String(version));
  const reason =
    champion === undefined
      ? "the detector that comes with the system"
      : "the detector that comes with the system was updated";
  await moveChampion(parts, { name, version: String(version), reason, principal: "system" });
}
