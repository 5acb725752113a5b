// What a service gets and what it gives. Services know the platform only through this file's types.
import type { AppError, Contract, Handlers, RequestContext } from "@mlsec/contracts";
import type { Clients } from "./http/clients.ts";
import type { Config } from "./config/config.ts";
import type { Database } from "./db/database.ts";
import type { Jobs } from "./jobs/jobs.ts";
import type { LiveStatus } from "./live.ts";
import type { ObjectStore } from "./storage/object-store.ts";
import type { Logger } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";

export interface ServiceContext {
  /** Frozen; a service reads its own slice with `config.read(slice)`. */
  readonly config: Config;
  readonly log: Logger;
  readonly db: Database;
  readonly storage: ObjectStore;
  readonly jobs: Jobs;
  /** One typed client per service, in-process where the other runs here. */
  readonly clients: Clients;
  readonly metrics: Metrics;
  readonly clock: () => Date;
  readonly live: LiveStatus;
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: Record<string, { status: "ok" | "down"; detail?: string }>;
}

export interface ServiceInstance<C extends Contract = Contract> {
  readonly handlers: Handlers<C>;
  ready(): Promise<Readiness>;
  /** After every service's app is mounted and before the system says it is ready: self-tests, job workers. */
  start?(): Promise<void>;
  /** After the last request was answered and before the database closes. */
  stop?(): Promise<void>;
  /** Answers every path itself (object storage, whose paths are buckets; the dashboard's files). Undefined: not mine, go on. */
  raw?(request: Request, context: RequestContext): Promise<Response | undefined>;
}

export interface ServiceDefinition<C extends Contract = Contract> {
  readonly name: string;
  readonly contract: C;
  /** Members beside those of problem+json in this service's error bodies, for clients that know another form (MLflow). */
  problem?(error: AppError): Readonly<Record<string, unknown>>;
  create(context: ServiceContext): Promise<ServiceInstance<C>>;
}

/** Declares a service; `services/<name>/service.ts` exports it as `service`. */
export function defineService<const C extends Contract>(definition: ServiceDefinition<C>): ServiceDefinition<C> {
  return definition;
}
