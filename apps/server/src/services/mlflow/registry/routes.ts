// Registered models, versions and aliases: the handlers of MLflow's registry paths.
import { AppError, type Handlers, type mlflow } from "@mlsec/contracts";
import { paged } from "../routes.ts";
import { toModel, toPairs, toVersion } from "../wire.ts";
import type { ModelRow, RegistryStore, VersionRow } from "./store.ts";

type Mlflow = Handlers<typeof mlflow>;
interface Parts {
  readonly store: RegistryStore;
  readonly clock: () => Date;
}

async function findModel(store: RegistryStore, name: string): Promise<ModelRow> {
  const model = await store.model(name);
  if (!model) throw new AppError("NOT_FOUND", `Registered Model with name=${name.slice(0, 200)} not found`);
  return model;
}

async function findVersion(store: RegistryStore, name: string, version: string): Promise<VersionRow> {
  const found = /^\d{1,9}$/.test(version) ? await store.version(name, Number(version)) : undefined;
  if (!found)
    throw new AppError(
      "NOT_FOUND",
      `Model Version (name=${name.slice(0, 200)}, version=${version.slice(0, 40)}) not found`,
    );
  return found;
}

async function described(store: RegistryStore, rows: readonly ModelRow[]) {
  const names = rows.map((row) => row.name);
  const [latest, aliases] = await Promise.all([store.latestVersions(names), store.aliases(names)]);
  return rows.map((row) => toModel(row, latest, aliases));
}

async function one(store: RegistryStore, name: string) {
  const [model] = await described(store, [await findModel(store, name)]);
  if (!model) throw new AppError("NOT_FOUND", `Registered Model with name=${name} not found`);
  return { registered_model: model };
}

export function registryHandlers(parts: Parts) {
  return { ...modelHandlers(parts), ...versionHandlers(parts), ...aliasHandlers(parts) };
}

function modelHandlers({ store, clock }: Parts) {
  return {
    async createRegisteredModel({ body }) {
      const row = await store.addModel(body.name, body.description ?? "", toPairs(body.tags), clock().getTime());
      if (!row) throw new AppError("CONFLICT", `Registered Model (name=${body.name}) already exists.`);
      return { registered_model: toModel(row, [], []) };
    },
    getRegisteredModel: ({ query }) => one(store, query.name),
    async searchRegisteredModels({ query }) {
      const { rows, next } = await paged(query, (page) => store.searchModels({ filter: query.filter, ...page }));
      return { registered_models: await described(store, rows), ...next };
    },
    async updateRegisteredModel({ body }) {
      await findModel(store, body.name);
      await store.describeModel(body.name, body.description ?? "", clock().getTime());
      return one(store, body.name);
    },
    async deleteRegisteredModel({ body }) {
      await findModel(store, body.name);
      await store.removeModel(body.name);
      return {};
    },
    async latestVersions({ body }) {
      await findModel(store, body.name);
      return { model_versions: (await store.latestVersions([body.name])).map(toVersion) };
    },
    async setRegisteredModelTag({ body }) {
      await findModel(store, body.name);
      await store.tagModel(body.name, { [body.key]: body.value });
      return {};
    },
  } satisfies Partial<Mlflow>;
}

function versionHandlers({ store, clock }: Parts) {
  return {
    async createModelVersion({ body }) {
      const row = await store.addVersion({
        name: body.name,
        source: body.source,
        runId: body.run_id ?? "",
        runLink: body.run_link ?? "",
        description: body.description ?? "",
        tags: toPairs(body.tags),
        now: clock().getTime(),
      });
      if (!row) throw new AppError("NOT_FOUND", `Registered Model with name=${body.name} not found`);
      return { model_version: toVersion(row) };
    },
    getModelVersion: async ({ query }) => ({
      model_version: toVersion(await findVersion(store, query.name, query.version)),
    }),
    async searchModelVersions({ query }) {
      const { rows, next } = await paged(query, (page) => store.searchVersions({ filter: query.filter, ...page }));
      return { model_versions: rows.map(toVersion), ...next };
    },
    versionDownloadUri: async ({ query }) => ({
      artifact_uri: (await findVersion(store, query.name, query.version)).source,
    }),
    async setVersionTag({ body }) {
      const { version } = await findVersion(store, body.name, body.version);
      await store.tagVersion(body.name, version, { [body.key]: body.value });
      return {};
    },
    async updateModelVersion({ body }) {
      const { version } = await findVersion(store, body.name, body.version);
      await store.describeVersion(body.name, version, body.description ?? "", clock().getTime());
      return { model_version: toVersion(await findVersion(store, body.name, body.version)) };
    },
    async deleteModelVersion({ body }) {
      const { version } = await findVersion(store, body.name, body.version);
      await store.removeVersion(body.name, version);
      return {};
    },
  } satisfies Partial<Mlflow>;
}

function aliasHandlers({ store }: Parts) {
  return {
    async setAlias({ body }) {
      // Numbers and "latest" would be taken for versions in models:/ addresses.
      if (/^(v?\d+|latest)$/i.test(body.alias))
        throw new AppError("INVALID_INPUT", `alias: ${JSON.stringify(body.alias)} reads like a version`);
      const { version } = await findVersion(store, body.name, body.version);
      await store.setAlias(body.name, body.alias, version);
      return {};
    },
    async getAlias({ query }) {
      const row = await store.aliased(query.name, query.alias);
      if (!row) throw new AppError("NOT_FOUND", `Registered model alias ${query.alias.slice(0, 200)} not found.`);
      return { model_version: toVersion(row) };
    },
    async deleteAlias({ body }) {
      await findModel(store, body.name);
      await store.removeAlias(body.name, body.alias);
      return {};
    },
  } satisfies Partial<Mlflow>;
}
