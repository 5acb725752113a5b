// Data sets in PostgreSQL: what was uploaded, whether it may be trained on, which jobs used it.
import type { QualityReport } from "@mlsec/contracts";
import type { Database } from "../../../platform/db/database.ts";

export interface DataSetRow {
  readonly file_id: string;
  readonly name: string;
  readonly uri: string;
  readonly state: "uploaded" | "validated" | "fresh" | "used" | "archived";
  readonly rows: number;
  readonly size_bytes: number;
  readonly sha256: string;
  readonly quality: QualityReport;
  readonly duplicate_of: string | null;
  readonly principal: string;
  readonly created_at: Date;
  readonly used_by_jobs: string[];
}
export type NewDataSet = Omit<DataSetRow, "used_by_jobs">;

const columns = `d.*, array(select j.job_id from training_jobs j where j.file_id = d.file_id order by j.created_at) as used_by_jobs`;

export type DataStore = ReturnType<typeof createDataStore>;

export function createDataStore(db: Database) {
  return {
    addDataSet: (row: NewDataSet) =>
      db.query(
        `insert into training_data_sets (file_id, name, uri, state, rows, size_bytes, sha256, quality, duplicate_of, principal, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11)`,
        [
          row.file_id,
          row.name,
          row.uri,
          row.state,
          row.rows,
          row.size_bytes,
          row.sha256,
          row.quality,
          row.duplicate_of,
          row.principal,
          row.created_at,
        ],
      ),
    dataSet: (id: string) => db.one<DataSetRow>(`select ${columns} from training_data_sets d where file_id = $1`, [id]),
    dataSetByUri: (uri: string) =>
      db.one<DataSetRow>(`select ${columns} from training_data_sets d where uri = $1`, [uri]),
    /** The first upload of the same bytes. */
    sameContent: (sha256: string) =>
      db.one<{ file_id: string }>(
        "select file_id from training_data_sets where sha256 = $1 and state <> 'archived' order by created_at limit 1",
        [sha256],
      ),
    /** The newest one that passed. */
    latest: () =>
      db.one<DataSetRow>(
        `select ${columns} from training_data_sets d where state in ('validated', 'fresh', 'used') order by created_at desc, file_id desc limit 1`,
      ),
    dataSets: (cursor: string | undefined, limit: number) =>
      db.query<DataSetRow>(
        `select ${columns} from training_data_sets d
         where $1::text is null or (d.created_at, d.file_id) < (select c.created_at, c.file_id from training_data_sets c where c.file_id = $1)
         order by created_at desc, file_id desc limit $2`,
        [cursor ?? null, limit],
      ),
    setState: (id: string, state: DataSetRow["state"]) =>
      db.query("update training_data_sets set state = $2 where file_id = $1", [id, state]),
  };
}
