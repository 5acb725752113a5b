// A whole system for a test: real services, a database of its own, an empty data folder, free ports.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type ServiceName, serviceNames } from "@mlsec/contracts";
import { inject } from "vitest";
import { parseConfig, portName } from "../platform/config/config.ts";
import type { Environment } from "../platform/config/slice.ts";
import { type Connection, openDatabase, type Database } from "../platform/db/database.ts";
import { ensureDatabase } from "../platform/db/embedded.ts";
import type { Clients } from "../platform/http/clients.ts";
import { startSystem, type System } from "../platform/system.ts";
import { loadService } from "../wiring.ts";
import { template } from "./server.ts";

export interface TestSystem {
  /** In-process clients, as the service `test`. */
  readonly clients: Clients;
  readonly system: System;
  readonly db: Database;
  readonly dataDir: string;
  /** `http://localhost:<port>` of a service that listens. */
  url(name: ServiceName): string;
  stop(): Promise<void>;
}

/** Stop it in `afterAll`. `environment` adds settings; the clock may be replaced. */
export async function startTestSystem(
  options: { services?: readonly ServiceName[]; environment?: Environment; clock?: () => Date } = {},
): Promise<TestSystem> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-system-"));
  const { host, port, user, password, database } = await testConnection();
  const config = parseConfig({
    LOG_LEVEL: "error",
    HF_HUB_OFFLINE: "1",
    MLSEC_DATA_DIR: dataDir,
    POSTGRES_HOST: host,
    POSTGRES_PORT: String(port),
    POSTGRES_USER: user,
    POSTGRES_PASSWORD: password,
    POSTGRES_DB: database,
    ...Object.fromEntries(serviceNames.map((name) => [portName(name), "0"])),
    ...options.environment,
  });
  const { clock } = options;
  const names = options.services ?? serviceNames;
  const system = await startSystem({
    config,
    names,
    load: loadService,
    checkResponses: true,
    ...(clock ? { clock } : {}),
  });
  return {
    clients: system.clients("test"),
    system,
    db: system.db,
    dataDir,
    url: (name) => `http://localhost:${system.port(name)}`,
    async stop() {
      await system.stop();
      fs.rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A fresh database with every migration, for tests of a store alone. Close it when done. */
export async function openTestDatabase(): Promise<Database> {
  return openDatabase(await testConnection());
}

const testConnection = async (): Promise<Connection> =>
  ensureDatabase(inject("postgres"), `test_${crypto.randomUUID().replaceAll("-", "")}`, template);
