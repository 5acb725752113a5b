// The one way to PostgreSQL: a pool, plain SQL with numbered parameters, and transactions.
import pg from "pg";

export type Row = Record<string, unknown>;

/** Something that runs SQL: the pool itself or one open transaction. */
export interface Sql {
  /** Runs one statement and answers its rows. Objects become JSON; text that PostgreSQL cannot hold (NUL, lone surrogates) is escaped. */
  query<T = Row>(sql: string, params?: readonly unknown[]): Promise<T[]>;
  /** The first row, or undefined. */
  one<T = Row>(sql: string, params?: readonly unknown[]): Promise<T | undefined>;
  /** Many statements at once, without parameters: migrations. */
  script(sql: string): Promise<void>;
}

export interface Database extends Sql {
  /** Runs `fn` in a transaction: committed when it resolves, rolled back when it rejects. */
  tx<T>(fn: (sql: Sql) => Promise<T>): Promise<T>;
  /** How to reach the same database with another client (pg-boss). */
  readonly connection: Connection;
  close(): Promise<void>;
}

/** Where a database is; `host` may be a folder that holds a unix socket. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
}

// Counts arrive as numbers: nothing here counts past 2^53.
const parsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC
      ? (value: string) => Number(value)
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** Opens a pool. An idle client that the server closes is dropped, never an uncaught error. */
export function openDatabase(
  connection: Connection,
  options: { max?: number; onError?: (error: Error) => void } = {},
): Database {
  const pool = new pg.Pool({
    ...connection,
    max: options.max ?? 10,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 10_000,
    types: parsers,
    application_name: "mlsec",
  });
  pool.on("error", (error) => options.onError?.(error));
  return {
    ...sqlOver(pool),
    connection,
    tx: (fn) => transaction(pool, fn),
    close: () => pool.end(),
  };
}

async function transaction<T>(pool: pg.Pool, fn: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("begin");
    const result = await fn(sqlOver(client));
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

function sqlOver(client: pg.Pool | pg.PoolClient): Sql {
  const query = async <T>(sql: string, params: readonly unknown[] = []): Promise<T[]> =>
    (await client.query(sql, params.map(storable))).rows as T[];
  return {
    query,
    one: async <T>(sql: string, params?: readonly unknown[]) => (await query<T>(sql, params))[0],
    script: async (sql) => void (await client.query(sql)),
  };
}

/** The value as PostgreSQL takes it: text and JSON with NUL and lone surrogates written as `\u0000` escapes. */
export function storable(value: unknown): unknown {
  if (typeof value === "string") return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  const isPlain = typeof value === "object" && value !== null && !(value instanceof Date) && !ArrayBuffer.isView(value);
  return isPlain ? toJson(value) : value;
}

/** JSON text that a jsonb column accepts whatever the strings hold. Arrays for jsonb columns need it, since a bare array is an SQL array. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /(?<!\\)((?:\\\\)*)\\u(0000|d[89a-f][0-9a-f]{2})/gi,
    (_, before: string, unit: string) => `${before}\\\\u${unit}`,
  );
}

function storableText(text: string): string {
  if (!text.includes("\0") && text.isWellFormed()) return text;
  return text.replace(
    /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
