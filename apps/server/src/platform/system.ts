// Starts services on one platform and stops them again. Which services there are, only main.ts and the tests know.
import fs from "node:fs/promises";
import path from "node:path";
import { AppError, type ServiceName, services } from "@mlsec/contracts";
import { type Config, portName } from "./config/config.ts";
import { type Connection, type Database, openDatabase } from "./db/database.ts";
import { ensureDatabase, startEmbedded } from "./db/embedded.ts";
import { migrate } from "./db/migrate.ts";
import { createClients, type InProcess } from "./http/clients.ts";
import { type Listener, listen } from "./http/listen.ts";
import { type App, createApp } from "./http/serve.ts";
import { createJobs, type JobRunner } from "./jobs/boss.ts";
import { createLiveBoard, type LiveBoard } from "./live.ts";
import { type DataLock, lockDataDir } from "./lock.ts";
import type { Readiness, ServiceContext, ServiceDefinition, ServiceInstance } from "./service.ts";
import { createFolderStore } from "./storage/folder.ts";
import type { ObjectStore } from "./storage/object-store.ts";
import { createS3Store } from "./storage/s3.ts";
import { createLogger, describeError, type Logger } from "./telemetry/log.ts";
import { createMetrics } from "./telemetry/metrics.ts";

export interface SystemOptions {
  readonly config: Config;
  readonly names: readonly ServiceName[];
  readonly load: (name: ServiceName) => Promise<ServiceDefinition>;
  readonly clock?: () => Date;
  /** Tests: an answer against its contract is an error. */
  readonly checkResponses?: boolean;
}
export interface System {
  readonly live: LiveBoard;
  readonly log: Logger;
  readonly lock: DataLock;
  readonly db: Database;
  readonly storage: ObjectStore;
  readonly jobs: JobRunner;
  /** A client of every service, as `caller`. */
  clients(caller: string): ReturnType<typeof createClients>;
  /** Port a service really listens on; undefined when it is off or elsewhere. */
  port(name: ServiceName): number | undefined;
  stop(): Promise<void>;
}

/** A running service. */
interface Unit {
  readonly name: ServiceName;
  readonly instance: ServiceInstance;
  readonly app: App;
  listener?: Listener;
}
interface Foundation {
  readonly db: Database;
  readonly jobs: JobRunner;
  readonly close: () => Promise<void>;
}

const drainMs = 10_000;

/** Rejects with INVALID_CONFIG or CONFLICT before anything is left running. A service that cannot start is off; the rest start. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { config } = options;
  requireLoopback(config);
  requireOwnStorage(options);
  const clock = options.clock ?? (() => new Date());
  const log = createLogger({ level: config.logLevel, service: config.name, version: config.version });
  const live = createLiveBoard(clock);
  const lock = lockDataDir(config.dataDir);
  const undo: (() => Promise<void>)[] = [async () => lock.release()];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse())
      await step().catch((error: unknown) => log.error({ error: describeError(error) }, "while stopping"));
  };
  try {
    const loading = Promise.all(
      options.names.map(async (name) => [name, await loadSafely(options, name, log)] as const),
    );
    const [foundation, storage, loaded] = await Promise.all([
      openFoundation(config, live, log, undo),
      openStorage(config, live, clock),
      loading,
    ]);
    live.setPart({
      name: "Verdict cache",
      embedded: true,
      address: config.redisUrl === undefined ? "in process" : "in process (REDIS_URL is not used in this version)",
      settings: "",
    });
    const units = new Map<ServiceName, Unit>();
    const clients = (caller: string) =>
      createClients({
        caller,
        inProcess: (name) => (config.addresses[name] === undefined ? inProcessOf(units.get(name)) : undefined),
        address: (name) => addressOf(config, units, name),
      });
    const shared = { config, db: foundation.db, storage, jobs: foundation.jobs, clock, live };
    const draining = new AbortController();
    const phase = { isUp: false };
    await Promise.all(
      loaded.map(async ([name, definition]) => {
        if (!(definition instanceof Error)) {
          const unit = await createUnit(
            name,
            definition,
            { ...options, clock },
            { shared, clients, log, phase, draining: draining.signal },
          );
          if (!(unit instanceof Error)) return void units.set(name, unit);
          definition = unit;
        }
        live.setService(offState(config, name, "it could not be loaded; the log says why"));
      }),
    );
    undo.push(() => foundation.jobs.drain(drainMs));
    undo.push(() => stopUnits(units, log));
    undo.push(() => closePorts(units, draining));
    await Promise.all([...units.values()].map((unit) => openPort(unit, config, live)));
    await startUnits(units, config, live, log);
    await foundation.jobs.begin();
    phase.isUp = true;
    for (const { name, listener } of units.values()) {
      if (listener) live.setService({ ...stateOf(name, listener.port), state: "ready" });
    }
    const port = (name: ServiceName): number | undefined => units.get(name)?.listener?.port;
    return { live, log, lock, db: foundation.db, storage, jobs: foundation.jobs, clients, port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Keys do not exist yet, so nothing but loopback may be listened on unless the operator takes it on themself. */
function requireLoopback({ host, keyless }: Config): void {
  if (keyless || ["localhost", "127.0.0.1", "::1"].includes(host)) return;
  throw new AppError(
    "INVALID_CONFIG",
    `MLSEC_HOST: ${host} would open the system to the network without a key, and this version has no keys yet; MLSEC_KEYLESS=1 allows it where ports are published on loopback only`,
  );
}

/** The S3 port would only pass on what the real server answers, under other keys and with fewer calls. */
function requireOwnStorage({ config: { storage }, names }: SystemOptions): void {
  if (storage.endpoint === undefined || !names.includes("object-storage")) return;
  throw new AppError(
    "INVALID_CONFIG",
    `MINIO_ENDPOINT: objects are kept at ${storage.endpoint}, so object-storage cannot be started here`,
  );
}

/** Database and jobs; what must be undone is added as soon as it stands. */
async function openFoundation(
  config: Config,
  live: LiveBoard,
  log: Logger,
  undo: (() => Promise<void>)[],
): Promise<Foundation> {
  const connection = await connect(config, live, log, undo);
  const db = openDatabase(connection, {
    onError: (error) => log.debug({ error: describeError(error) }, "idle database connection lost"),
  });
  undo.push(() => db.close());
  await migrate(db).catch((cause: unknown) => {
    if (config.postgres === undefined || cause instanceof AppError) throw cause;
    const why = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : "";
    throw new AppError(
      "INVALID_CONFIG",
      `POSTGRES_HOST: no database at ${config.postgres.host}:${config.postgres.port} (${why})`,
      {},
      { cause },
    );
  });
  const jobs = createJobs({ db, log, isOnlyProcess: config.postgres === undefined });
  await jobs.open();
  return { db, jobs, close: () => db.close() };
}

async function connect(
  config: Config,
  live: LiveBoard,
  log: Logger,
  undo: (() => Promise<void>)[],
): Promise<Connection> {
  const settings = "POSTGRES_HOST, POSTGRES_DB, POSTGRES_USER, POSTGRES_PASSWORD";
  if (config.postgres) {
    const { host, port, database } = config.postgres;
    live.setPart({ name: "Database", embedded: false, address: `${host}:${port}/${database}`, settings });
    return config.postgres;
  }
  const server = await startEmbedded(config.dataDir, { onTrouble: (message) => log.error(message) });
  undo.push(() => server.stop());
  live.setPart({ name: "Database", embedded: true, address: server.folder, settings });
  return ensureDatabase(server.connection, "mlsec");
}

async function openStorage(config: Config, live: LiveBoard, clock: () => Date): Promise<ObjectStore> {
  const { endpoint, bucket } = config.storage;
  const settings = "MINIO_ENDPOINT, MINIO_ACCESS_KEY, MINIO_SECRET_KEY";
  if (endpoint !== undefined) {
    const storage = await connectStorage(config, endpoint);
    live.setPart({ name: "Objects", embedded: false, address: endpoint, settings });
    return storage;
  }
  const folder = path.join(config.dataDir, "objects");
  const storage = createFolderStore(folder, clock);
  await storage.createBucket(bucket);
  live.setPart({ name: "Objects", embedded: true, address: folder, settings });
  return storage;
}

/** INVALID_CONFIG when the server cannot be reached, or does not let these keys use the bucket. */
async function connectStorage({ storage, dataDir }: Config, endpoint: string): Promise<ObjectStore> {
  const { accessKey, secretKey, bucket } = storage;
  if (accessKey === undefined || secretKey === undefined)
    throw new AppError("INVALID_CONFIG", `MINIO_ENDPOINT: ${endpoint} needs MINIO_ACCESS_KEY and MINIO_SECRET_KEY`);
  if (!/^https?:\/\/[^/?#@]+$/i.test(endpoint))
    throw new AppError(
      "INVALID_CONFIG",
      "MINIO_ENDPOINT: expected scheme, host and port only, such as http://host:port",
    );
  const spoolDir = path.join(dataDir, "spool");
  // Left by a kill.
  await fs.rm(spoolDir, { recursive: true, force: true });
  const store = createS3Store({ endpoint, accessKey, secretKey, spoolDir });
  await store.createBucket(bucket).catch((cause: unknown) => {
    if (!(cause instanceof AppError)) throw cause;
    throw new AppError("INVALID_CONFIG", `MINIO_ENDPOINT: ${cause.message}`, {}, { cause });
  });
  return store;
}

async function loadSafely({ load }: SystemOptions, name: ServiceName, log: Logger): Promise<ServiceDefinition | Error> {
  try {
    return await load(name);
  } catch (error) {
    log.error({ service: name, error: describeError(error) }, "a service could not be loaded");
    return error instanceof Error ? error : new AppError("INTERNAL", String(error));
  }
}

interface Surroundings {
  readonly shared: Omit<ServiceContext, "log" | "metrics" | "clients">;
  readonly clients: (caller: string) => ServiceContext["clients"];
  readonly log: Logger;
  readonly phase: { isUp: boolean };
  readonly draining: AbortSignal;
}

async function createUnit(
  name: ServiceName,
  definition: ServiceDefinition,
  options: SystemOptions & { clock: () => Date },
  { shared, clients, log: parent, phase, draining }: Surroundings,
): Promise<Unit | Error> {
  const { config } = options;
  const log = parent.child({ service: name });
  const metrics = createMetrics(name);
  try {
    const instance = await definition.create({ ...shared, log, metrics, clients: clients(name) });
    const starting: Readiness = {
      ready: false,
      checks: { start: { status: "down", detail: "the system is starting" } },
    };
    const app = createApp({
      name,
      title: services[name].title,
      version: config.version,
      contract: definition.contract,
      instance: { ...instance, ready: async () => (phase.isUp ? instance.ready() : starting) },
      log,
      metrics,
      clock: options.clock,
      keyless: config.keyless,
      maxBodyBytes: config.maxBodyBytes,
      requestTimeoutMs: config.requestTimeoutMs,
      draining,
      checkResponses: options.checkResponses ?? false,
      ...(definition.problem ? { problem: definition.problem } : {}),
    });
    return { name, instance, app };
  } catch (error) {
    if (error instanceof AppError && error.code === "INVALID_CONFIG") throw error;
    log.error({ error: describeError(error) }, "a service could not be created");
    return error instanceof Error ? error : new AppError("INTERNAL", String(error));
  }
}

/** A taken port takes away the port, not the service: the others still reach it inside this process. */
async function openPort(unit: Unit, config: Config, live: LiveBoard): Promise<void> {
  const port = config.ports[unit.name];
  try {
    unit.listener = await listen(unit.app, config.host, port);
    live.setService({ ...stateOf(unit.name, unit.listener.port), state: "starting" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === "EADDRINUSE" ? `port ${port} is taken` : `port ${port} cannot be opened (${code ?? String(error)})`;
    live.setService(
      offState(
        config,
        unit.name,
        `${why}; ${portName(unit.name)}=${port + 10_000 > 65_535 ? port - 1_000 : port + 10_000} moves it`,
      ),
    );
  }
}

/** In the order of the table, so that a service may call those before it while it starts. */
async function startUnits(units: Map<ServiceName, Unit>, config: Config, live: LiveBoard, log: Logger): Promise<void> {
  for (const name of Object.keys(services) as ServiceName[]) {
    const unit = units.get(name);
    try {
      await unit?.instance.start?.();
    } catch (error) {
      if (error instanceof AppError && error.code === "INVALID_CONFIG") throw error;
      log.error({ service: name, error: describeError(error) }, "a service could not be started");
      await unit?.listener?.drain(0);
      units.delete(name);
      live.setService(offState(config, name, error instanceof Error ? error.message : String(error)));
    }
  }
}

async function closePorts(units: Map<ServiceName, Unit>, draining: AbortController): Promise<void> {
  draining.abort(new AppError("UNAVAILABLE", "the system stops"));
  await Promise.all([...units.values()].flatMap(({ listener }) => (listener ? [listener.drain(drainMs)] : [])));
}

async function stopUnits(units: Map<ServiceName, Unit>, log: Logger): Promise<void> {
  for (const { name, instance } of [...units.values()].reverse()) {
    await instance
      .stop?.()
      .catch((error: unknown) => log.error({ service: name, error: describeError(error) }, "while stopping"));
  }
}

const inProcessOf = (unit: Unit | undefined): InProcess | undefined =>
  unit && ((request, principal) => unit.app.fetch(request, { principal }));

/** A service that runs here is reached here, unless its address was set to another place. */
function addressOf(config: Config, units: Map<ServiceName, Unit>, name: ServiceName): string {
  const port = units.get(name)?.listener?.port ?? config.ports[name];
  return config.addresses[name] ?? `http://127.0.0.1:${port}`;
}

const stateOf = (name: ServiceName, port: number) => ({
  name,
  title: services[name].title,
  port,
  url: `http://localhost:${port}`,
});
const offState = (config: Config, name: ServiceName, detail: string) => ({
  ...stateOf(name, config.ports[name]),
  state: "off" as const,
  detail,
});
