create table training_data_sets (
  file_id text primary key,
  name text not null,
  uri text not null,
  state text not null,
  rows integer not null,
  size_bytes bigint not null,
  sha256 text not null,
  quality jsonb not null,
  duplicate_of text,
  principal text not null,
  created_at timestamptz not null
);
create index training_data_sets_newest on training_data_sets (created_at desc, file_id desc);
create index training_data_sets_by_sha256 on training_data_sets (sha256);

create table training_jobs (
  job_id text primary key,
  queue_id text,
  model_name text not null,
  requested_model text not null,
  status text not null,
  phase text not null,
  progress double precision not null default 0,
  current_epoch double precision not null default 0,
  total_epochs double precision not null,
  step integer not null default 0,
  total_steps integer not null default 0,
  current_loss double precision,
  best_metric double precision,
  rows_per_second double precision,
  losses jsonb not null default '[]',
  training_data_path text not null,
  eval_data_path text,
  -- What the paths meant when the job was asked for: `latest` and data sets resolved.
  data_uri text not null,
  eval_uri text,
  file_id text references training_data_sets (file_id),
  config jsonb not null,
  promote text not null,
  priority integer not null,
  trigger text not null,
  reason text,
  principal text not null,
  attempts integer not null default 0,
  run_id text,
  result jsonb,
  error jsonb,
  created_at timestamptz not null,
  start_time timestamptz,
  end_time timestamptz,
  estimated_completion timestamptz
);
create index training_jobs_newest on training_jobs (created_at desc, job_id desc);
create index training_jobs_open on training_jobs (status) where status in ('queued', 'running');
create index training_jobs_by_file on training_jobs (file_id) where file_id is not null;

create table training_logs (
  id bigint generated always as identity primary key,
  job_id text not null references training_jobs (job_id) on delete cascade,
  at timestamptz not null,
  level text not null,
  message text not null
);
create index training_logs_by_job on training_logs (job_id, id);

-- Who moved a champion, when and why. Only ever added to.
create table training_alias_moves (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  model_name text not null,
  alias text not null,
  version text not null,
  previous_version text,
  reason text not null,
  principal text not null
);
