-- Finished red-team tests, ours and those that others report. Raw attack texts are never stored here.
create table red_team_results (
  test_id text primary key,
  model_name text not null,
  model_version text,
  requested_model text not null,
  model_type text,
  trigger text not null,
  -- False: texts without expected labels. Counted as a test, in no average.
  labelled boolean not null,
  total_attacks integer not null,
  vulnerabilities_found integer not null,
  detection_rate double precision not null,
  false_positive_rate double precision,
  total_benign integer not null,
  errored integer not null,
  attack_categories jsonb not null,
  by_category jsonb not null,
  attack_results jsonb not null,
  created_at timestamptz not null,
  stored_at timestamptz not null
);
create index red_team_results_created_at on red_team_results (created_at);
create index red_team_results_model_created_at on red_team_results (model_name, created_at);
comment on table red_team_results is 'Finished tests in figures, kept for good.';

create table model_performance (
  id bigint generated always as identity primary key,
  model_name text not null,
  model_version text not null,
  figures jsonb not null,
  stored_at timestamptz not null
);
create index model_performance_model on model_performance (model_name, id);
comment on table model_performance is 'Evaluations of model versions, kept for good.';
