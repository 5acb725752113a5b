/** Clients of every service, through the dashboard's own origin: `/api/<service>/…`. */
import { AppError, createClient, services, type ServiceName } from "@mlsec/contracts";

const base = (name: ServiceName): string => `${location.origin}/api/${name}`;

export const modelApi = createClient(services["model-api"].contract, base("model-api"));
export const redTeam = createClient(services["red-team"].contract, base("red-team"));
export const training = createClient(services.training.contract, base("training"));
export const analytics = createClient(services.analytics.contract, base("analytics"));

/** Address of one call, for links and event streams that no client makes. */
export const address = (name: ServiceName, path: string): string => `${base(name)}${path}`;

/** What to tell a person about any failure. */
export function messageOf(error: unknown): string {
  if (error instanceof AppError) {
    if (error.code === "UNAVAILABLE") return "The system does not answer. Is it still running?";
    return error.message;
  }
  return error instanceof Error ? error.message : "Something went wrong.";
}
