// The whole configuration: parsed once, frozen, passed on as an argument.
import path from "node:path";
import { type ServiceName, serviceNames, services } from "@mlsec/contracts";
import type * as z from "zod";
import type { Connection } from "../db/database.ts";
import type { LogLevel } from "../telemetry/log.ts";
import { Sensitive } from "../telemetry/sensitive.ts";
import { parseSlice } from "./parse.ts";
import { platformSlice } from "./platform.ts";
import { address, type Environment, port, type Slice, type SliceValues } from "./slice.ts";

export interface Config {
  readonly name: string;
  readonly version: string;
  readonly logLevel: LogLevel;
  readonly host: string;
  readonly keyless: boolean;
  readonly ports: Readonly<Record<ServiceName, number>>;
  /** Addresses of services that run elsewhere, from `<SERVICE>_API_URL`; our own addresses are left out. */
  readonly addresses: Readonly<Partial<Record<ServiceName, string>>>;
  /** Absolute. */
  readonly dataDir: string;
  readonly modelDirs: readonly string[];
  readonly defaultModel: string;
  readonly storeText: "none" | "flagged" | "all";
  readonly maxTextChars: number;
  readonly maxBodyBytes: number;
  readonly requestTimeoutMs: number;
  /** Undefined: the embedded server. */
  readonly postgres: Connection | undefined;
  readonly redisUrl: Sensitive<string> | undefined;
  /** `endpoint` undefined: the embedded store. */
  readonly storage: {
    readonly endpoint: string | undefined;
    readonly bucket: string;
    readonly accessKey: string | undefined;
    readonly secretKey: string | undefined;
  };
  /** `trackingUri` undefined: the embedded MLflow. */
  readonly mlflow: {
    readonly trackingUri: string | undefined;
    readonly s3Endpoint: string | undefined;
    readonly s3IgnoreTls: boolean;
  };
  readonly otlpEndpoint: string | undefined;
  readonly hub: {
    readonly endpoint: string;
    readonly token: Sensitive<string> | undefined;
    readonly offline: boolean;
    /** Where downloaded models lie. */
    readonly cacheDir: string;
  };
  /** A service's own settings; INVALID_CONFIG names a wrong one. */
  read<S extends Slice>(slice: S): SliceValues<S>;
}

/** `red-team` → `MLSEC_PORT_RED_TEAM`. */
export const portName = (service: ServiceName): string => `MLSEC_PORT_${service.toUpperCase().replaceAll("-", "_")}`;
/** `model-api` → `MODEL_API_URL`. */
export const addressName = (service: ServiceName): string => services[service].addressEnv;

const portSlice = Object.fromEntries(
  serviceNames.map((name) => [portName(name), port(services[name].port).describe(`Port of ${services[name].title}.`)]),
);
const addressSlice: Record<string, z.ZodOptional<ReturnType<typeof address>>> = Object.fromEntries(
  serviceNames
    .filter((name) => !Object.hasOwn(platformSlice, addressName(name)))
    .map((name) => [
      addressName(name),
      address(["http", "https"], "http")
        .optional()
        .describe(`Where ${services[name].title} is, when it does not run in this process.`) as never,
    ]),
);
/** Every setting of the platform, for the reference page. */
export const platformSettings: Slice = { ...platformSlice, ...portSlice, ...addressSlice };

export function parseConfig(environment: Environment): Config {
  const snapshot = Object.freeze({ ...environment });
  const values = parseSlice(platformSlice, snapshot);
  const ports = parseSlice(portSlice, snapshot) as Record<string, number>;
  const given = {
    ...parseSlice(addressSlice, snapshot),
    MLFLOW_TRACKING_URI: values.MLFLOW_TRACKING_URI,
    MINIO_ENDPOINT: values.MINIO_ENDPOINT,
  } as Record<string, string | undefined>;
  const portOf = (name: ServiceName): number => ports[portName(name)] ?? services[name].port;
  const ownPorts = new Set(serviceNames.map(portOf));
  const foreign = (url: string | undefined): string | undefined =>
    url !== undefined && isOwn(url, ownPorts) ? undefined : url;
  const { POSTGRES_HOST: host, POSTGRES_PASSWORD: password } = values;
  const postgres = {
    port: values.POSTGRES_PORT,
    database: values.POSTGRES_DB,
    user: values.POSTGRES_USER,
    ...(password ? { password } : {}),
  };
  const addresses = serviceNames.flatMap((name) => {
    const url = foreign(given[addressName(name)]);
    return url === undefined ? [] : [[name, url]];
  });
  return Object.freeze({
    name: values.SERVICE_NAME ?? "mlsec",
    version: values.SERVICE_VERSION ?? "0.1.0",
    logLevel: values.LOG_LEVEL,
    host: values.MLSEC_HOST,
    keyless: values.MLSEC_KEYLESS,
    ports: Object.freeze(
      Object.fromEntries(serviceNames.map((name) => [name, portOf(name)])) as Record<ServiceName, number>,
    ),
    addresses: Object.freeze(Object.fromEntries(addresses)),
    dataDir: path.resolve(values.MLSEC_DATA_DIR),
    modelDirs: Object.freeze(
      (values.MLSEC_MODEL_DIRS ?? "")
        .split(path.delimiter)
        .filter(Boolean)
        .map((dir) => path.resolve(dir)),
    ),
    defaultModel: values.MLSEC_DEFAULT_MODEL,
    storeText: values.MLSEC_STORE_TEXT,
    maxTextChars: values.MLSEC_MAX_TEXT_CHARS,
    maxBodyBytes: values.MLSEC_MAX_BODY_BYTES,
    requestTimeoutMs: values.MLSEC_REQUEST_TIMEOUT_SECONDS * 1000,
    postgres: host === undefined ? undefined : Object.freeze({ host, ...postgres }),
    redisUrl: sensitive(values.REDIS_URL),
    storage: Object.freeze({
      endpoint: foreign(values.MINIO_ENDPOINT),
      bucket: values.MINIO_BUCKET,
      accessKey: values.MINIO_ACCESS_KEY,
      secretKey: values.MINIO_SECRET_KEY,
    }),
    mlflow: Object.freeze({
      trackingUri: foreign(values.MLFLOW_TRACKING_URI),
      s3Endpoint: foreign(values.MLFLOW_S3_ENDPOINT_URL),
      s3IgnoreTls: values.MLFLOW_S3_IGNORE_TLS,
    }),
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    hub: Object.freeze({
      endpoint: values.HF_ENDPOINT,
      token: sensitive(values.HF_TOKEN),
      offline: values.HF_HUB_OFFLINE,
      cacheDir: path.join(path.resolve(values.MLSEC_DATA_DIR), "hub"),
    }),
    read: (slice) => parseSlice(slice, snapshot),
  } satisfies Config);
}

const sensitive = (value: string | undefined): Sensitive<string> | undefined =>
  value === undefined ? undefined : new Sensitive(value);
const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** An address on this machine's loopback at one of our ports is this process itself. */
function isOwn(url: string, ownPorts: ReadonlySet<number>): boolean {
  const { hostname, port: given, protocol } = new URL(url);
  return loopback.has(hostname) && ownPorts.has(Number(given || (protocol === "https:" ? 443 : 80)));
}
