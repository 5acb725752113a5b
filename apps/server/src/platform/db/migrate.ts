// Brings a database up to date: every file of apps/server/migrations that it has not seen, in order, in one transaction.
import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import type { Database } from "./database.ts";

/** Any fixed number: two processes that start at once migrate one after the other. */
const advisoryLock = 4_206_912;
const folder = path.resolve(import.meta.dirname, "../../../migrations");

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

export async function readMigrations(): Promise<Migration[]> {
  const names = (await fs.readdir(folder)).filter((name) => name.endsWith(".sql")).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const sql = await fs.readFile(path.join(folder, name), "utf8");
      return { name, sql, sha256: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

/** Answers the names it ran. A file that changed after it ran is refused: migrations only go forward. */
export async function migrate(db: Database): Promise<string[]> {
  const migrations = await readMigrations();
  return db.tx(async (sql) => {
    await sql.query("set local statement_timeout = 0");
    await sql.query("select pg_advisory_xact_lock($1)", [advisoryLock]);
    await sql.query(
      "create table if not exists schema_migrations (name text primary key, sha256 text not null, applied_at timestamptz not null default now())",
    );
    const rows = await sql.query<{ name: string; sha256: string }>("select name, sha256 from schema_migrations");
    const seen = new Map(rows.map((row) => [row.name, row.sha256]));
    const ran: string[] = [];
    for (const { name, sql: text, sha256 } of migrations) {
      const known = seen.get(name);
      if (known === sha256) continue;
      if (known !== undefined) {
        throw new AppError(
          "INVALID_CONFIG",
          `the migration ${name} was changed after this database ran it; put the change into a new file`,
        );
      }
      // Without parameters the simple protocol is used, which takes many statements at once.
      await sql.script(text);
      await sql.query("insert into schema_migrations (name, sha256) values ($1, $2)", [name, sha256]);
      ran.push(name);
    }
    return ran;
  });
}
