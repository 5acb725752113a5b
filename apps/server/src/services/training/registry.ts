// Runs and versions in MLflow, ours or a real one, through its client. Metrics of a version are tags of it, so that every
// view of the registry needs one search and no run.
import { AppError, type MlflowModelVersion, type RegistryEntry as RegistryEntrySchema } from "@mlsec/contracts";
import type * as z from "zod";
import type { Clients } from "../../platform/http/clients.ts";
import { canonicalName, experimentName, registeredName } from "./names.ts";

export type RegistryEntry = z.infer<typeof RegistryEntrySchema>;
type Mlflow = Clients["mlflow"];
export interface NewRun {
  readonly name: string;
  readonly jobId: string;
  readonly params: Readonly<Record<string, string>>;
  readonly startMs: number;
  readonly bucket: string;
}
export interface NewVersion {
  readonly name: string;
  readonly source: string;
  readonly runId?: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}
export type Aliases = Readonly<Partial<Record<"champion" | "candidate" | "previous", string>>>;

/** True for what MLflow calls RESOURCE_DOES_NOT_EXIST, whichever server says it. */
const isMissing = (error: unknown): boolean =>
  error instanceof AppError && (error.code === "NOT_FOUND" || error.details["status"] === 404);
const isTaken = (error: unknown): boolean =>
  error instanceof AppError && (error.code === "CONFLICT" || error.details["status"] === 400);
async function orMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
const pairs = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([key, value]) => ({ key, value }));
const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;

export type Registry = ReturnType<typeof createRegistry>;

export function createRegistry(mlflow: Mlflow) {
  return { ...runsOf(mlflow), ...versionsOf(mlflow), ...aliasesOf(mlflow) };
}

function runsOf(mlflow: Mlflow) {
  const experiment = async (name: string, bucket: string): Promise<string> => {
    const full = experimentName(name);
    const found = await orMissing(mlflow.getExperimentByName({ query: { experiment_name: full } }));
    if (found) return found.experiment.experiment_id;
    const made = await mlflow.createExperiment({
      body: { name: full, artifact_location: `s3://${bucket}/models/${name}` },
    });
    return made.experiment_id;
  };
  return {
    async startRun({ name, jobId, params, startMs, bucket }: NewRun): Promise<{ runId: string; artifactUri: string }> {
      const experiment_id = await experiment(name, bucket);
      const tags = pairs({
        "mlflow.runName": `${name}-${jobId.slice(0, 8)}`,
        "mlflow.source.name": "mlsec",
        "mlsec.job_id": jobId,
      });
      const { run } = await mlflow.createRun({
        body: { experiment_id, user_id: "mlsec", run_name: `${name}-${jobId.slice(0, 8)}`, start_time: startMs, tags },
      });
      await mlflow.logBatch({ body: { run_id: run.info.run_id, params: pairs(params) } });
      return { runId: run.info.run_id, artifactUri: run.info.artifact_uri };
    },
    artifactUri: async (runId: string): Promise<string | undefined> =>
      (await orMissing(mlflow.getRun({ query: { run_id: runId } })))?.run.info.artifact_uri,
    async logMetrics(
      runId: string,
      points: readonly { key: string; value: number; step: number }[],
      atMs: number,
    ): Promise<void> {
      for (let from = 0; from < points.length; from += 500) {
        const metrics = points.slice(from, from + 500).map((point) => ({ ...point, timestamp: atMs }));
        await mlflow.logBatch({ body: { run_id: runId, metrics } });
      }
    },
    tagRun: async (runId: string, tags: Readonly<Record<string, string>>): Promise<void> =>
      void (await mlflow.logBatch({ body: { run_id: runId, tags: pairs(tags) } })),
    endRun: async (runId: string, status: "FINISHED" | "FAILED" | "KILLED", atMs: number): Promise<void> =>
      void (await mlflow.updateRun({ body: { run_id: runId, status, end_time: atMs } })),
    async runs(name: string) {
      const found = await orMissing(mlflow.getExperimentByName({ query: { experiment_name: experimentName(name) } }));
      if (!found) return [];
      const { runs } = await mlflow.searchRuns({
        body: { experiment_ids: [found.experiment.experiment_id], max_results: 1000 },
      });
      return runs;
    },
  };
}

function versionsOf(mlflow: Mlflow) {
  return {
    /** The version of a run when there is one already (a job that was cut short after it), else a new one. */
    async addVersion(version: NewVersion): Promise<MlflowModelVersion> {
      const name = registeredName(version.name);
      await mlflow.createRegisteredModel({ body: { name } }).catch((error: unknown) => {
        if (!isTaken(error)) throw error;
      });
      if (version.runId !== undefined) {
        const filter = `name=${quoted(name)} and run_id=${quoted(version.runId)}`;
        const { model_versions } = await mlflow.searchModelVersions({ query: { filter } });
        if (model_versions[0]) return model_versions[0];
      }
      const { model_version } = await mlflow.createModelVersion({
        body: {
          name,
          source: version.source,
          description: version.description,
          tags: pairs(version.tags),
          ...(version.runId === undefined ? {} : { run_id: version.runId }),
        },
      });
      return model_version;
    },
    async versions(name: string): Promise<MlflowModelVersion[]> {
      const filter = `name=${quoted(registeredName(name))}`;
      const { model_versions } = await mlflow.searchModelVersions({ query: { filter, max_results: 1000 } });
      return model_versions.toSorted((a, b) => Number(b.version) - Number(a.version));
    },
    version: async (name: string, version: string): Promise<MlflowModelVersion | undefined> =>
      (await orMissing(mlflow.getModelVersion({ query: { name: registeredName(name), version } })))?.model_version,
    /** Names of all registered detectors, and their aliases. */
    async models(): Promise<{ name: string; aliases: Aliases }[]> {
      const { registered_models } = await mlflow.searchRegisteredModels({ query: { max_results: 1000 } });
      return registered_models
        .filter((model) => model.name.startsWith("security_"))
        .map((model) => ({ name: canonicalName(model.name), aliases: aliasesFrom(model.aliases) }));
    },
  };
}

const aliasesFrom = (list: readonly { alias: string; version: string }[]): Aliases =>
  Object.fromEntries(list.map(({ alias, version }) => [alias, String(version)]));

function aliasesOf(mlflow: Mlflow) {
  return {
    async aliases(name: string): Promise<Aliases> {
      const found = await orMissing(mlflow.getRegisteredModel({ query: { name: registeredName(name) } }));
      return aliasesFrom(found?.registered_model.aliases ?? []);
    },
    setAlias: async (name: string, alias: keyof Aliases, version: string): Promise<void> =>
      void (await mlflow.setAlias({ body: { name: registeredName(name), alias, version } })),
    dropAlias: async (name: string, alias: keyof Aliases): Promise<void> =>
      void (await mlflow.deleteAlias({ body: { name: registeredName(name), alias } })),
  };
}

/** A version as /models/registry shows it. */
export function toEntry(version: MlflowModelVersion, aliases: Aliases): RegistryEntry {
  const tags = new Map(version.tags.map(({ key, value }) => [key, value]));
  const rate = (key: string): number | null => {
    const value = Number(tags.get(key) ?? Number.NaN);
    return value >= 0 && value <= 1 ? value : null;
  };
  const alias = Object.entries(aliases).find(([, at]) => at === String(version.version))?.[0] ?? null;
  return {
    model_name: canonicalName(version.name),
    version: String(version.version),
    run_id: version.run_id === "" ? null : version.run_id,
    f1_score: rate("mlsec.f1_score"),
    accuracy: rate("mlsec.accuracy"),
    threshold: rate("mlsec.threshold"),
    alias,
    timestamp: new Date(version.creation_timestamp).toISOString(),
    mlflow_uri: `models:/${version.name}/${version.version}`,
  };
}

/** The version that teaches when a job names this model: its champion. MODEL_NOT_FOUND when it has none. */
export async function teacherVersion(registry: Registry, asked: string): Promise<{ name: string; version: string }> {
  const name = canonicalName(asked);
  const { champion: version } = await registry.aliases(name);
  if (version === undefined) throw new AppError("MODEL_NOT_FOUND", `config.teacher: ${name} has no trained version`);
  return { name, version };
}
