/** Where the services are. The only file of the command line that reads the environment. */
import { analytics, createClient, modelApi, redTeam, type ServiceName, services, training } from "@mlsec/contracts";
import { readFileSync } from "node:fs";
import path from "node:path";

const env = process.env;

/** The repository's root: models, data and scripts lie below it. */
export const root = path.resolve(import.meta.dirname, "../../..");
export const dataDir = path.resolve(env["MLSEC_DATA_DIR"] ?? path.join(root, ".mlsec"));
export const executionProvider = env["MLSEC_EXECUTION_PROVIDER"] || "cpu";
export const defaultModel = env["MLSEC_DEFAULT_MODEL"] ?? "distilbert";
export const colours = (env["NO_COLOR"] ?? "") === "" && (process.stdout.isTTY || (env["FORCE_COLOR"] ?? "") !== "");

/** Port of a service: MLSEC_PORT_<SERVICE>, else its own. */
export const portOf = (name: ServiceName): number =>
  Number(env[`MLSEC_PORT_${name.toUpperCase().replaceAll("-", "_")}`] ?? services[name].port);
/** Address of a service: its address setting, else this machine. */
export const addressOf = (name: ServiceName): string =>
  env[services[name].addressEnv] ?? `http://127.0.0.1:${portOf(name)}`;

export const api = {
  model: createClient(modelApi, addressOf("model-api")),
  redTeam: createClient(redTeam, addressOf("red-team")),
  training: createClient(training, addressOf("training")),
  analytics: createClient(analytics, addressOf("analytics")),
};

/** How hub models are reached; the same settings as the server's. */
export function hub(): { endpoint: string; token?: string; offline: boolean; cacheDir: string } {
  const set = (name: string): string | undefined => (env[name]?.trim() === "" ? undefined : env[name]);
  const file = set("HF_TOKEN_FILE");
  const token = set("HF_TOKEN") ?? (file === undefined ? undefined : readFileSync(file, "utf8").trim());
  return {
    endpoint: set("HF_ENDPOINT") ?? "https://huggingface.co",
    ...(token === undefined ? {} : { token }),
    offline: /^(1|true|yes|on)$/i.test(env["HF_HUB_OFFLINE"] ?? ""),
    cacheDir: path.join(dataDir, "hub"),
  };
}

/** Whether a Model API answers. */
export async function serverIsUp(): Promise<boolean> {
  const answer = await fetch(`${addressOf("model-api")}/health`, { signal: AbortSignal.timeout(1500) }).catch(
    () => undefined,
  );
  return answer?.ok ?? false;
}
