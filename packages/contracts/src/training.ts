/** Training, port 8002: jobs, data sets and the registry seen from their side. */
import * as z from "zod";
import { Count, IdParams, ModelName, NameParams, NextCursor, Page, Rate, Timestamp } from "./fields.ts";
import { route } from "./route.ts";

export const JobStatus = z.enum(["queued", "running", "completed", "failed", "cancelled"]).meta({ id: "JobStatus" });
export type JobStatus = z.infer<typeof JobStatus>;
export const Promote = z.enum(["if_better", "never", "force"]).meta({ id: "Promote" });
export type Promote = z.infer<typeof Promote>;

/** What a caller may set; other Hugging Face TrainingArguments names are aliases, resolved by the service before this schema. */
export const TrainSettings = z
  .strictObject({
    epochs: z.number().positive().max(100).default(3),
    learning_rate: z.number().positive().max(1).default(2e-5),
    batch_size: z.int().min(1).max(512).default(16),
    max_length: z.int().min(8).max(512).default(128),
    warmup_ratio: z.number().min(0).max(1).default(0.06),
    warmup_steps: z.int().min(0).optional(),
    weight_decay: z.number().min(0).max(1).default(0.01),
    max_grad_norm: z.number().positive().default(1),
    lr_scheduler: z.enum(["linear", "cosine"]).default("linear"),
    dropout: z.number().min(0).max(0.9).default(0.1),
    label_smoothing: z.number().min(0).max(0.5).default(0),
    class_weights: z.boolean().default(false),
    early_stopping: z.boolean().default(false),
    patience: z.int().min(1).max(100).default(2),
    metric_for_best_model: z.enum(["f1", "accuracy", "loss"]).default("f1"),
    freeze_embeddings: z.boolean().default(false),
    freeze_layers: z.int().min(0).max(24).default(0),
    precision: z
      .enum(["auto", "float32", "int8-gradients", "int8"])
      .default("float32")
      .describe(
        "Of the encoder's products; auto takes int8 for input gradients where a measurement shows that this processor gains by it.",
      ),
    lora: z
      .union([
        z.strictObject({
          rank: z.int().min(1).max(256).default(8),
          alpha: z.number().positive().max(4096).default(16),
        }),
        z.boolean().transform((on) => (on ? { rank: 8, alpha: 16 } : null)),
      ])
      .nullable()
      .default(null)
      .describe("Train low-rank updates of the encoder's layers instead of the layers; true means rank 8, alpha 16."),
    adversarial: z
      .union([
        z.strictObject({
          method: z.enum(["fgm", "pgd"]).default("fgm"),
          epsilon: z.number().positive().max(1000).default(1),
          steps: z.int().min(1).max(20).default(3),
        }),
        z.enum(["fgm", "pgd"]).transform((method) => ({ method, epsilon: 1, steps: 3 })),
      ])
      .nullable()
      .default(null)
      .describe("Learn pushed word vectors beside the clean ones; fgm doubles the cost, pgd takes 1 + steps times it."),
    teacher: z
      .string()
      .min(1)
      .max(200)
      .nullable()
      .default(null)
      .describe("A trained model whose champion teaches this one: half of the loss follows its probabilities."),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(42),
    threshold_fpr: z.number().positive().max(0.5).default(0.01),
  })
  .meta({ id: "TrainSettings" });
export type TrainSettings = z.infer<typeof TrainSettings>;

const DataUri = z.string().min(1).max(1000).describe("`s3://bucket/key`, `dataset:<id>` or `latest`.");
const TrainFields = {
  model_name: ModelName,
  training_data_path: DataUri.default("latest"),
  config: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("TrainSettings; Hugging Face names are aliases; an unknown key is 400."),
  eval_data_path: DataUri.optional(),
  promote: Promote.default("if_better"),
  priority: z.int().min(-100).max(100).default(0),
};
export const TrainRequest = z.strictObject(TrainFields).meta({ id: "TrainRequest" });
export const Trigger = z
  .enum(["manual", "performance_degradation", "data_drift", "scheduled", "red_team_failure", "new_data"])
  .meta({ id: "Trigger" });
export const RetrainRequest = z
  .strictObject({
    ...TrainFields,
    trigger: Trigger.default("manual"),
    reason: z.string().max(2000).optional(),
  })
  .meta({ id: "RetrainRequest" });

const JobStarted = z
  .object({ job_id: z.string(), status: JobStatus, model_name: z.string(), config: TrainSettings, message: z.string() })
  .meta({ id: "JobStarted" });

/** Figures of one side of the gate on the frozen suite. */
export const GateFigures = z
  .object({
    version: z.string(),
    recall: Rate,
    false_positive_rate: Rate,
    macro_f1: Rate,
    roc_auc: Rate.nullable(),
    accuracy: Rate,
    threshold: Rate,
    attacks: Count,
    benign: Count,
  })
  .meta({ id: "GateFigures" });
export type GateFigures = z.infer<typeof GateFigures>;
export const Promotion = z
  .object({
    decision: z.enum(["promoted", "kept", "first_champion", "not_requested"]),
    reason: z.string(),
    suite: z.object({ name: z.string(), sha256: z.string(), rows: Count }),
    champion: GateFigures.nullable(),
    candidate: GateFigures,
  })
  .meta({ id: "Promotion" });
export type Promotion = z.infer<typeof Promotion>;

export const Scorecard = z
  .record(z.string(), z.unknown())
  .meta({ id: "Scorecard", description: "Machine-readable scorecard of the engine." });
export const JobResult = z
  .object({
    mlflow_model_uri: z.string(),
    model_version: z.string(),
    run_id: z.string(),
    metrics: z.record(z.string(), z.number()),
    scorecard: Scorecard,
    promotion: Promotion,
  })
  .meta({ id: "JobResult" });

export const Job = z
  .object({
    job_id: z.string(),
    model_name: z.string(),
    status: JobStatus,
    phase: z.string(),
    progress: z.number().min(0).max(100),
    current_epoch: z.number(),
    total_epochs: z.number(),
    step: Count,
    total_steps: Count,
    current_loss: z.number().nullable(),
    best_metric: z.number().nullable(),
    rows_per_second: z.number().nullable(),
    losses: z.array(z.tuple([Count, z.number()])).describe("Loss curve, thinned to at most 200 points: [step, loss]."),
    start_time: Timestamp.nullable(),
    end_time: Timestamp.nullable(),
    created_at: Timestamp,
    estimated_completion: Timestamp.nullable(),
    training_data_path: z.string(),
    config: TrainSettings,
    trigger: z.string(),
    result: JobResult.nullable(),
    error: z.object({ code: z.string(), detail: z.string() }).nullable(),
    attempts: Count,
  })
  .meta({ id: "Job" });
export type Job = z.infer<typeof Job>;

export const QualityReport = z
  .object({
    passed: z.boolean(),
    rows: Count,
    groups: Count,
    by_label: z.record(z.string(), Count),
    errors: z.array(z.object({ row: Count.optional(), message: z.string() })),
    warnings: z.array(z.object({ row: Count.optional(), message: z.string() })),
  })
  .meta({ id: "QualityReport" });
export type QualityReport = z.infer<typeof QualityReport>;

export const DataSet = z
  .object({
    file_id: z.string(),
    uri: z.string(),
    name: z.string(),
    state: z.enum(["uploaded", "validated", "fresh", "used", "archived"]),
    rows: Count,
    size_bytes: Count,
    sha256: z.string(),
    quality: QualityReport,
    duplicate_of: z.string().nullable(),
    used_by_jobs: z.array(z.string()),
    created_at: Timestamp,
  })
  .meta({ id: "DataSet" });
export type DataSet = z.infer<typeof DataSet>;

export const TrainRowJson = z.looseObject({
  text: z.string().min(1).max(200_000),
  label: z.string(),
  lang: z.string().optional(),
  source: z.string().optional(),
});

export const RegistryEntry = z
  .object({
    model_name: z.string(),
    version: z.string(),
    run_id: z.string().nullable(),
    f1_score: Rate.nullable(),
    accuracy: Rate.nullable(),
    threshold: Rate.nullable(),
    alias: z.string().nullable(),
    timestamp: Timestamp,
    mlflow_uri: z.string(),
  })
  .meta({ id: "RegistryEntry" });

const AliasMove = z.object({
  model_name: z.string(),
  alias: z.literal("champion"),
  version: z.string(),
  previous_version: z.string().nullable(),
  reason: z.string(),
});

export const training = {
  train: route({
    method: "POST",
    path: "/train",
    summary: "Start a training job",
    scope: "train",
    body: TrainRequest,
    responses: { 202: JobStarted },
  }),
  retrain: route({
    method: "POST",
    path: "/retrain",
    summary: "Start a training job for a reason",
    scope: "train",
    body: RetrainRequest,
    responses: { 202: JobStarted },
  }),
  listJobs: route({
    method: "GET",
    path: "/jobs",
    summary: "Training jobs, newest first",
    scope: "read",
    query: Page.extend({ status: JobStatus.optional(), model_name: ModelName.optional() }),
    responses: { 200: z.object({ jobs: z.array(Job), next_cursor: NextCursor }) },
  }),
  getJob: route({
    method: "GET",
    path: "/jobs/{id}",
    summary: "One job",
    scope: "read",
    params: IdParams,
    responses: { 200: Job },
  }),
  jobEvents: route({
    method: "GET",
    path: "/jobs/{id}/events",
    summary: "The job as server-sent events (`job`), until it ends",
    scope: "read",
    kind: "sse",
    params: IdParams,
    responses: { 200: Job },
  }),
  jobLogs: route({
    method: "GET",
    path: "/jobs/{id}/logs",
    summary: "What the job wrote",
    scope: "read",
    params: IdParams,
    query: Page,
    responses: {
      200: z.object({
        logs: z.array(z.object({ at: Timestamp, level: z.string(), message: z.string() })),
        next_cursor: NextCursor,
      }),
    },
  }),
  cancelJob: route({
    method: "DELETE",
    path: "/jobs/{id}",
    summary: "Cancel a job",
    scope: "train",
    params: IdParams,
    responses: { 200: Job },
  }),
  registry: route({
    method: "GET",
    path: "/models/registry",
    summary: "Registered versions",
    scope: "read",
    responses: {
      200: z.object({
        latest_models: z.record(z.string(), RegistryEntry),
        best_models: z.record(z.string(), RegistryEntry),
        versions: z.record(z.string(), z.array(RegistryEntry)),
      }),
    },
  }),
  promote: route({
    method: "POST",
    path: "/models/{name}/promote",
    summary: "Make a version the champion",
    scope: "admin",
    params: NameParams,
    body: z.strictObject({ version: z.string().min(1).max(40), reason: z.string().max(2000).default("manual") }),
    responses: { 200: AliasMove },
  }),
  rollback: route({
    method: "POST",
    path: "/models/{name}/rollback",
    summary: "Make the champion before this one the champion again",
    scope: "admin",
    params: NameParams,
    body: z
      .strictObject({ version: z.string().min(1).max(40).optional(), reason: z.string().max(2000).default("manual") })
      .optional(),
    responses: { 200: AliasMove },
  }),
  uploadData: route({
    method: "POST",
    path: "/data/upload",
    summary: "Upload a data set: multipart file, raw JSONL or CSV, or `{rows: […]}`",
    scope: "train",
    kind: "upload",
    query: z.strictObject({ name: z.string().max(200).optional() }),
    body: z.strictObject({ name: z.string().max(200).optional(), rows: z.array(TrainRowJson).min(1).max(100_000) }),
    responses: { 201: DataSet },
  }),
  listData: route({
    method: "GET",
    path: "/data",
    summary: "Data sets, newest first",
    scope: "read",
    query: Page,
    responses: { 200: z.object({ data: z.array(DataSet), next_cursor: NextCursor }) },
  }),
  getData: route({
    method: "GET",
    path: "/data/{id}",
    summary: "One data set",
    scope: "read",
    params: IdParams,
    responses: { 200: DataSet },
  }),
  previewData: route({
    method: "GET",
    path: "/data/{id}/preview",
    summary: "Its first rows",
    scope: "read",
    params: IdParams,
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(10) }),
    responses: {
      200: z.object({ rows: z.array(z.object({ text: z.string(), label: z.string(), lang: z.string().optional() })) }),
    },
  }),
  deleteData: route({
    method: "DELETE",
    path: "/data/{id}",
    summary: "Archive a data set; its lineage stays",
    scope: "train",
    params: IdParams,
    responses: { 200: DataSet },
  }),
  validateData: route({
    method: "POST",
    path: "/data/validate",
    summary: "Check rows or a stored file without keeping them",
    scope: "train",
    body: z.strictObject({
      uri: z.string().max(1000).optional(),
      rows: z.array(z.record(z.string(), z.unknown())).max(100_000).optional(),
    }),
    responses: { 200: QualityReport },
  }),
  experimentSummary: route({
    method: "GET",
    path: "/mlflow/experiment/summary",
    summary: "Runs of an experiment in figures",
    scope: "read",
    query: z.strictObject({ model_name: ModelName.default("distilbert") }),
    responses: {
      200: z.object({
        experiment_name: z.string(),
        total_runs: Count,
        successful_runs: Count,
        success_rate: Rate,
        model_performance: z.record(z.string(), z.record(z.string(), z.number())),
        best_models: z.record(z.string(), RegistryEntry),
      }),
    },
  }),
};
