// vitest's global set-up: one embedded PostgreSQL for the whole run, and a migrated template that every test file copies.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { type Connection, openDatabase } from "../platform/db/database.ts";
import { ensureDatabase, startEmbedded } from "../platform/db/embedded.ts";
import { migrate } from "../platform/db/migrate.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgres: Connection;
  }
}

export const template = "mlsec_template";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-test-"));
  const server = await startEmbedded(folder);
  const db = openDatabase(await ensureDatabase(server.connection, template));
  await migrate(db);
  await db.close();
  project.provide("postgres", server.connection);
  return async () => {
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  };
}
