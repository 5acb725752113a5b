// What the model registry says about names and versions, through MLflow's REST contract.
import type { Client, mlflow } from "@mlsec/contracts";

const prefix = "security_";

export interface RegisteredVersion {
  readonly version: string;
  readonly source: string;
  readonly aliases: readonly string[];
}
export interface Registered {
  readonly name: string;
  /** Version that the alias champion points at. */
  readonly champion: string | undefined;
}
export interface Registry {
  /** Models called `security_…`, without that prefix. */
  models(): Promise<Registered[]>;
  /** One version; rejects when the registry has no such one. */
  version(name: string, version: string): Promise<RegisteredVersion>;
}

export function createRegistry(client: Client<typeof mlflow>): Registry {
  return {
    async models() {
      const found: Registered[] = [];
      for (let token: string | undefined; ; ) {
        const page = await client.searchRegisteredModels({
          query: { max_results: 100, ...(token ? { page_token: token } : {}) },
        });
        for (const { name, aliases } of page.registered_models) {
          if (!name.startsWith(prefix)) continue;
          const champion = aliases.find(({ alias }) => alias === "champion")?.version;
          found.push({ name: name.slice(prefix.length), champion });
        }
        token = page.next_page_token;
        if (!token) return found;
      }
    },
    async version(name, version) {
      const answer = await client.getModelVersion({ query: { name: prefix + name, version } });
      const { source, aliases } = answer.model_version;
      return { version: answer.model_version.version, source, aliases };
    },
  };
}
