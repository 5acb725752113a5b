-- Tests and the ledger of their attempts. The ledger is written in full before the first attempt runs, and an attempt
-- that has an outcome is never run again: a killed test goes on where it was.
create table red_team_tests (
  id uuid primary key,
  status text not null check (status in ('running', 'completed', 'failed', 'cancelled')),
  trigger text not null,
  model_name text not null,
  requested_model text not null,
  model_version text not null,
  threshold double precision,
  pass_threshold double precision not null,
  seed integer,
  -- What was asked for; null for given texts, whose ledger is written with the test.
  campaign jsonb,
  is_planned boolean not null,
  job_id text,
  figures jsonb,
  error text,
  error_code text,
  -- The outbox: a finished test waits here until analytics has it.
  is_reported boolean not null default false,
  created_at timestamptz not null,
  finished_at timestamptz
);
create index red_team_tests_created_at on red_team_tests (created_at, id);
create index red_team_tests_model_created_at on red_team_tests (model_name, created_at);
create index red_team_tests_running on red_team_tests (id) where status = 'running';
create index red_team_tests_unreported on red_team_tests (id) where status = 'completed' and not is_reported;
comment on table red_team_tests is 'Red-team tests and their figures.';

create table red_team_attempts (
  test_id uuid not null references red_team_tests (id) on delete cascade,
  ordinal integer not null,
  -- The text as a JSON string, so that NUL and lone surrogates come back as they were.
  text_json text not null,
  category text,
  pattern text,
  mutator text,
  benign boolean not null,
  severity text,
  status text not null default 'pending',
  prediction text,
  confidence double precision,
  error text,
  primary key (test_id, ordinal)
);
create index red_team_attempts_pending on red_team_attempts (test_id, ordinal) where status = 'pending';
comment on table red_team_attempts is 'Ledger of attempts; keeps text, but only generated texts and those given for a test.';
