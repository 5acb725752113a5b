-- Every verdict: hash and scores, never the text.
create table verdicts (
  id uuid primary key,
  created_at timestamptz not null,
  text_hash text not null,
  text_chars integer not null,
  model_name text not null,
  requested_model text not null,
  model_version text not null,
  label text not null,
  confidence real not null,
  attack_probability real not null,
  threshold real not null,
  is_attack boolean not null,
  probabilities jsonb not null,
  from_cache boolean not null,
  latency_ms real not null
);
create index verdicts_created_at on verdicts (created_at);
create index verdicts_model_created_at on verdicts (model_name, created_at);

-- What people say a text really was; read by the review queue.
create table verdict_feedback (
  id uuid primary key,
  verdict_id uuid not null references verdicts (id) on delete cascade,
  created_at timestamptz not null default now(),
  principal text not null,
  label text not null,
  -- The person and the verdict disagree.
  disagrees boolean not null,
  note text
);
create index verdict_feedback_verdict_id on verdict_feedback (verdict_id);
create index verdict_feedback_created_at on verdict_feedback (created_at);
