// What the database keeps, from its own catalogue: tables say in their comment that they hold text.
import type { Database } from "../../platform/db/database.ts";

export interface KeptTable {
  readonly table: string;
  readonly rows_estimate: number;
  readonly bytes: number;
  readonly keeps_text: boolean;
  readonly note: string | null;
}

export const keptTables = (db: Database): Promise<KeptTable[]> =>
  db.query<KeptTable>(`
    select c.relname as "table",
           greatest(s.n_live_tup, c.reltuples::bigint, 0) as rows_estimate,
           pg_total_relation_size(c.oid) as bytes,
           coalesce(obj_description(c.oid, 'pg_class') like '%keeps text%', false) as keeps_text,
           obj_description(c.oid, 'pg_class') as note
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_stat_user_tables s on s.relid = c.oid
    where n.nspname = current_schema() and c.relkind in ('r', 'p')
    order by c.relname`);
