// SQL of the Model API: verdicts (hash and scores, never the text) and what people say about them.
import { AppError, type Label } from "@mlsec/contracts";
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
  };
}
