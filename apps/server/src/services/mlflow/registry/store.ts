// Registered models, their versions and aliases in PostgreSQL.
import type { Database } from "../../../platform/db/database.ts";
import { conditionOf, createParameters, orderOf, type Searchable } from "../conditions.ts";
import type { Pairs, Search } from "../store.ts";

export interface ModelRow {
  readonly name: string;
  readonly description: string;
  readonly creation_timestamp: number;
  readonly last_updated_timestamp: number;
  readonly tags: Pairs;
}
export interface VersionRow {
  readonly name: string;
  readonly version: number;
  readonly description: string;
  readonly source: string;
  readonly run_id: string;
  readonly run_link: string;
  readonly creation_timestamp: number;
  readonly last_updated_timestamp: number;
  readonly tags: Pairs;
  readonly aliases: readonly string[];
}
export interface AliasRow {
  readonly name: string;
  readonly alias: string;
  readonly version: number;
}
export interface NewVersion {
  readonly name: string;
  readonly source: string;
  readonly runId: string;
  readonly runLink: string;
  readonly description: string;
  readonly tags: Pairs;
  readonly now: number;
}

const versionColumns = `v.*, array(select a.alias from mlflow_aliases a where a.name = v.name and a.version = v.version order by a.alias) as aliases`;
const modelSearch: Searchable = {
  texts: { name: "name" },
  numbers: { last_updated_timestamp: "last_updated_timestamp", creation_timestamp: "creation_timestamp" },
  keyed: { tag: "tags->>$key" },
  standardOrder: "name",
  tieBreak: "name",
};
const versionSearch: Searchable = {
  texts: { name: "v.name", run_id: "v.run_id", source_path: "v.source", source: "v.source" },
  numbers: {
    version_number: "v.version",
    version: "v.version",
    creation_timestamp: "v.creation_timestamp",
    last_updated_timestamp: "v.last_updated_timestamp",
  },
  keyed: { tag: "v.tags->>$key" },
  standardOrder: "v.last_updated_timestamp desc",
  tieBreak: "v.name, v.version desc",
};

export type RegistryStore = ReturnType<typeof createRegistryStore>;

export function createRegistryStore(db: Database) {
  return { ...models(db), ...versions(db), ...aliases(db) };
}

function models(db: Database) {
  return {
    /** Undefined when the name is taken. */
    addModel: (name: string, description: string, tags: Pairs, now: number) =>
      db.one<ModelRow>(
        `insert into mlflow_registered_models (name, description, tags, creation_timestamp, last_updated_timestamp)
         values ($1, $2, $3::jsonb, $4, $4) on conflict do nothing returning *`,
        [name, description, tags, now],
      ),
    model: (name: string) => db.one<ModelRow>("select * from mlflow_registered_models where name = $1", [name]),
    describeModel: (name: string, description: string, now: number) =>
      db.query("update mlflow_registered_models set description = $2, last_updated_timestamp = $3 where name = $1", [
        name,
        description,
        now,
      ]),
    tagModel: (name: string, tags: Pairs) =>
      db.query("update mlflow_registered_models set tags = tags || $2::jsonb where name = $1", [name, tags]),
    removeModel: (name: string) => db.query("delete from mlflow_registered_models where name = $1", [name]),
    searchModels(search: Search): Promise<ModelRow[]> {
      const p = createParameters();
      const condition = conditionOf(search.filter, modelSearch, p);
      const order = orderOf(search.orderBy, modelSearch, p);
      return db.query<ModelRow>(
        `select * from mlflow_registered_models where ${condition} order by ${order} limit ${p.add(search.limit)} offset ${p.add(search.offset)}`,
        p.values,
      );
    },
  };
}

function versions(db: Database) {
  return {
    /** The next version of the model; undefined when there is no such model. Numbers are never used twice. */
    addVersion: (version: NewVersion) =>
      db.one<VersionRow>(
        `with next as (
           update mlflow_registered_models set last_version = last_version + 1, last_updated_timestamp = $7 where name = $1
           returning last_version
         )
         insert into mlflow_model_versions
           (name, version, source, run_id, run_link, description, tags, creation_timestamp, last_updated_timestamp)
         select $1, last_version, $2, $3, $4, $5, $6::jsonb, $7, $7 from next returning *, '{}'::text[] as aliases`,
        [version.name, version.source, version.runId, version.runLink, version.description, version.tags, version.now],
      ),
    version: (name: string, version: number) =>
      db.one<VersionRow>(`select ${versionColumns} from mlflow_model_versions v where name = $1 and version = $2`, [
        name,
        version,
      ]),
    latestVersions: (names: readonly string[]) =>
      db.query<VersionRow>(
        `select distinct on (v.name) ${versionColumns} from mlflow_model_versions v where v.name = any($1::text[]) order by v.name, v.version desc`,
        [names],
      ),
    describeVersion: (name: string, version: number, description: string, now: number) =>
      db.query(
        "update mlflow_model_versions set description = $3, last_updated_timestamp = $4 where name = $1 and version = $2",
        [name, version, description, now],
      ),
    tagVersion: (name: string, version: number, tags: Pairs) =>
      db.query("update mlflow_model_versions set tags = tags || $3::jsonb where name = $1 and version = $2", [
        name,
        version,
        tags,
      ]),
    removeVersion: (name: string, version: number) =>
      db.query("delete from mlflow_model_versions where name = $1 and version = $2", [name, version]),
    searchVersions(search: Search): Promise<VersionRow[]> {
      const p = createParameters();
      const condition = conditionOf(search.filter, versionSearch, p);
      const order = orderOf(search.orderBy, versionSearch, p);
      return db.query<VersionRow>(
        `select ${versionColumns} from mlflow_model_versions v where ${condition} order by ${order} limit ${p.add(search.limit)} offset ${p.add(search.offset)}`,
        p.values,
      );
    },
  };
}

function aliases(db: Database) {
  return {
    aliases: (names: readonly string[]) =>
      db.query<AliasRow>("select * from mlflow_aliases where name = any($1::text[]) order by name, alias", [names]),
    setAlias: (name: string, alias: string, version: number) =>
      db.query(
        `insert into mlflow_aliases (name, alias, version) values ($1, $2, $3)
         on conflict (name, alias) do update set version = excluded.version`,
        [name, alias, version],
      ),
    aliased: (name: string, alias: string) =>
      db.one<VersionRow>(
        `select ${versionColumns} from mlflow_model_versions v join mlflow_aliases a on a.name = v.name and a.version = v.version
         where a.name = $1 and a.alias = $2`,
        [name, alias],
      ),
    removeAlias: (name: string, alias: string) =>
      db.query("delete from mlflow_aliases where name = $1 and alias = $2", [name, alias]),
  };
}
