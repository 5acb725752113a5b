-- Findings: each wrong answer once per model, over all tests. They hold no text: the ledger does, or the campaign and
-- the place in it draw it again.
alter table red_team_attempts add column attack_key text;
alter table red_team_attempts add column impact smallint;
comment on column red_team_attempts.attack_key is 'Same attack, same key: of pattern, mutators and normalised text.';

create table red_team_findings (
  id uuid primary key,
  fingerprint text not null unique,
  model_name text not null,
  attack_key text not null,
  kind text not null check (kind in ('missed', 'false_alarm')),
  category text not null,
  pattern text,
  mutator text,
  severity text not null,
  impact double precision not null,
  exposure double precision not null,
  weight double precision not null,
  state text not null check (state in ('open', 'confirmed', 'false_positive', 'accepted_risk', 'fixed')),
  note text,
  triaged_by text,
  triaged_at timestamptz,
  suppressed_until timestamptz,
  suppressed_reason text,
  suppressed_by text,
  occurrences integer not null,
  versions text[] not null,
  first_seen timestamptz not null,
  last_seen timestamptz not null,
  fixed_version text,
  last_replay jsonb,
  -- What draws the text again.
  last_test_id uuid not null,
  last_ordinal integer not null,
  seed integer,
  campaign jsonb,
  unique (model_name, attack_key)
);
create index red_team_findings_order on red_team_findings (weight desc, last_seen desc, id desc);
create index red_team_findings_suppressed on red_team_findings (suppressed_until) where suppressed_until is not null;
comment on table red_team_findings is 'Findings of the red team, without texts.';

create table red_team_finding_events (
  id bigint generated always as identity primary key,
  finding_id uuid not null references red_team_findings (id) on delete cascade,
  at timestamptz not null,
  by text not null,
  event text not null,
  state text not null,
  note text
);
create index red_team_finding_events_finding on red_team_finding_events (finding_id, id);
comment on table red_team_finding_events is 'Who decided what about a finding, and when.';
