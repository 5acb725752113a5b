// What an app is made of.
import type { AppError, Contract } from "@mlsec/contracts";
import type { ServiceInstance } from "../service.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface AppOptions {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  readonly contract: Contract;
  readonly instance: ServiceInstance;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: () => Date;
  /** See ServiceDefinition. */
  readonly problem?: (error: AppError) => Readonly<Record<string, unknown>>;
  /** Answers without a key wherever the request comes from. */
  readonly keyless: boolean;
  readonly maxBodyBytes: number;
  readonly requestTimeoutMs: number;
  /** Aborted when the process drains: event streams end. */
  readonly draining: AbortSignal;
  /** Tests: an answer that its contract does not allow is an error. */
  readonly checkResponses: boolean;
}
