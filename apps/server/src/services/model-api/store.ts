// SQL of the Model API: verdicts (hash and scores, never the text) and what people say about them.
import { AppError, type Label, type VerdictHistory } from "@mlsec/contracts";
import { type Database, toJson } from "../../platform/db/database.ts";

export interface VerdictRow {
  readonly id: string;
  readonly created_at: string;
  readonly text_hash: string;
  readonly text_chars: number;
  readonly model_name: string;
  readonly requested_model: string;
  readonly model_version: string;
  readonly label: string;
  readonly confidence: number;
  readonly attack_probability: number;
  readonly threshold: number;
  readonly is_attack: boolean;
  readonly probabilities: Readonly<Record<string, number>>;
  readonly from_cache: boolean;
  readonly latency_ms: number;
}
export interface Feedback {
  readonly verdictId: string;
  readonly principal: string;
  readonly label: Label;
  readonly note: string | undefined;
}
export interface VerdictStore {
  insert(rows: readonly VerdictRow[]): Promise<void>;
  /** NOT_FOUND when no verdict has this id. */
  addFeedback(feedback: Feedback): Promise<Date>;
  /** Verdicts since a moment, per day in UTC. */
  history(since: Date): Promise<VerdictHistory>;
}

const insertVerdicts = `
  insert into verdicts (id, created_at, text_hash, text_chars, model_name, requested_model, model_version, label,
    confidence, attack_probability, threshold, is_attack, probabilities, from_cache, latency_ms)
  select id, created_at, text_hash, text_chars, model_name, requested_model, model_version, label,
    confidence, attack_probability, threshold, is_attack, probabilities, from_cache, latency_ms
  from jsonb_to_recordset($1::jsonb) as rows (id uuid, created_at timestamptz, text_hash text, text_chars integer,
    model_name text, requested_model text, model_version text, label text, confidence real, attack_probability real,
    threshold real, is_attack boolean, probabilities jsonb, from_cache boolean, latency_ms real)
  on conflict (id) do nothing`;

const insertFeedback = `
  insert into verdict_feedback (id, verdict_id, principal, label, disagrees, note)
  select gen_random_uuid(), id, $2, $3, label <> $3, $4 from verdicts where id = $1
  returning created_at`;

const perDay = `
  select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD') as date, count(*) as verdicts,
    count(*) filter (where is_attack) as attacks
  from verdicts where created_at >= $1 group by 1 order by 1`;
const latencies = `
  select percentile_cont(array[0.5, 0.95, 0.99]) within group (order by latency_ms) as percentiles
  from verdicts where created_at >= $1`;
const opinions = `
  select count(*) as total, count(*) filter (where disagrees) as disagreed from verdict_feedback where created_at >= $1`;

async function historyOf(db: Database, since: Date): Promise<VerdictHistory> {
  const [daily, latency, feedback] = await Promise.all([
    db.query<VerdictHistory["daily"][number]>(perDay, [since]),
    db.one<{ percentiles: number[] | null }>(latencies, [since]),
    db.one<VerdictHistory["feedback"]>(opinions, [since]),
  ]);
  const [p50, p95, p99] = latency?.percentiles ?? [];
  const known = p50 !== undefined && p95 !== undefined && p99 !== undefined;
  return { daily, latency_ms: known ? { p50, p95, p99 } : null, feedback: feedback ?? { total: 0, disagreed: 0 } };
}

export function createVerdictStore(db: Database): VerdictStore {
  return {
    insert: async (rows) => void (await db.query(insertVerdicts, [toJson(rows)])),
    async addFeedback({ verdictId, principal, label, note }) {
      const isId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(verdictId);
      const params = [verdictId, principal, label, note ?? null];
      const row = isId ? await db.one<{ created_at: Date }>(insertFeedback, params) : undefined;
      if (row) return row.created_at;
      throw new AppError("NOT_FOUND", "no verdict has this id; verdict_id of an answer is one");
    },
    history: (since) => historyOf(db, since),
  };
}
