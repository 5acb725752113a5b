/** Model API, port 8000: verdicts and the models that give them. */
import * as z from "zod";
import { Count, Label, ModelName, NameParams, Rate, Timestamp } from "./fields.ts";
import { route } from "./route.ts";

export const Span = z
  .object({
    start: Count.describe("First code point of the evidence in the text as sent."),
    end: Count.describe("Code point after the last."),
    score: Rate,
    view: z
      .string()
      .describe(
        "The view that was hit: `text`, `normalised`, or the decoders from the outside in, as in `url>base64`.",
      ),
  })
  .meta({ id: "Span" });
export type Span = z.infer<typeof Span>;

const Text = z.string().describe("Any text, never refused for what it says; at most MLSEC_MAX_TEXT_CHARS characters.");
export const EnsembleMethod = z.enum(["voting", "averaging", "weighted", "stacked"]).meta({ id: "EnsembleMethod" });

export const PredictRequest = z
  .strictObject({
    text: Text,
    model_name: ModelName.optional(),
    models: z.array(ModelName).min(1).max(8).optional(),
    ensemble: z.boolean().optional().describe("Judge with all models named (or all loaded ones) and combine."),
    return_probabilities: z.boolean().default(true),
    cascade: z
      .boolean()
      .default(true)
      .describe("false: the full detector answers, whatever its student is sure of. An ensemble ignores it."),
    explain: z.boolean().default(false).describe("Narrow the spans as far as the detector can."),
  })
  .meta({ id: "PredictRequest" });

export const MemberVerdict = z
  .object({
    prediction: z.string(),
    confidence: Rate,
    attack_probability: Rate,
    is_attack: z.boolean(),
    model_version: z.string(),
  })
  .meta({ id: "MemberVerdict" });

export const Verdict = z
  .object({
    verdict_id: z.string(),
    text: z.string(),
    prediction: z.string().describe("`benign` exactly when is_attack is false, else the likeliest attack label."),
    confidence: Rate.describe("Calibrated P(attack) if is_attack, else 1 − P(attack)."),
    probabilities: z.record(z.string(), Rate).optional(),
    attack_probability: Rate,
    is_attack: z.boolean(),
    threshold: Rate,
    calibrated: z.boolean(),
    model_name: z.string().describe("Canonical name, without `_trained` or `security_`."),
    requested_model: z.string().describe("The name that was asked for."),
    model_version: z.string(),
    spans: z.array(Span),
    windows: Count,
    model_predictions: z.record(z.string(), MemberVerdict),
    ensemble_used: z.boolean(),
    from_cache: z.boolean(),
    answered_by: z
      .enum(["student", "full"])
      .optional()
      .describe("Which part of the model's cascade answered; absent where it has none."),
    processing_time_ms: z.number(),
    timestamp: Timestamp,
  })
  .meta({ id: "Verdict" });
export type Verdict = z.infer<typeof Verdict>;

export const BatchItem = z.strictObject({
  text: Text,
  id: z.string().max(200).optional(),
  model_name: ModelName.optional(),
});
const BatchEntry = z
  .union([z.string(), BatchItem, z.unknown()])
  .describe("A text or `{text, id?, model_name?}`; anything else is an error in its place.");
const BatchBody = z
  .union([
    z.array(BatchEntry).min(1).max(1000),
    z.strictObject({
      texts: z.array(BatchEntry).min(1).max(1000),
      model_name: ModelName.optional(),
      purpose: z
        .enum(["traffic", "test"])
        .optional()
        .describe("`test` (scope redteam): judged alike, but kept out of stored verdicts and statistics."),
    }),
  ])
  .describe("A list of texts, `{texts, model_name?}` or a list of `{text, id?, model_name?}`; at most 1,000.");
export const BatchError = z.object({
  error: z.object({ code: z.string(), detail: z.string() }),
  id: z.string().optional(),
});
const BatchResult = z.union([Verdict.extend({ id: z.string().optional() }), BatchError]);
export const BatchAnswer = z
  .object({
    results: z.array(BatchResult),
    predictions: z.array(BatchResult),
    total_texts: Count,
    successful_predictions: Count,
    processing_time_ms: z.number(),
  })
  .meta({ id: "BatchAnswer" });

export const CascadeState = z
  .object({
    student: z.string(),
    lower: Rate.describe("The student's P(attack) up to which its answer `benign` stands."),
    upper: Rate.nullable().describe(
      "The student's P(attack) from which its answer `attack` stands; null: it never does.",
    ),
    max_chars: Count,
    agreement: Rate.nullable().describe(
      "Share of its answers that were the full detector's, lowest over the kinds of rows.",
    ),
    answered: z.object({ student: Count, full: Count }).describe("Fresh verdicts since the model was loaded."),
  })
  .meta({ id: "CascadeState" });
export type CascadeState = z.infer<typeof CascadeState>;

export const ModelState = z
  .object({
    name: z.string(),
    version: z.string().nullable(),
    state: z.enum(["loaded", "loading", "unloaded", "untrained", "failed"]),
    kind: z.enum(["transformer", "linear", "encoder"]),
    labels: z.array(z.string()),
    calibrated: z.boolean(),
    threshold: Rate.nullable(),
    threshold_fpr: Rate.nullable(),
    size_bytes: Count,
    memory_bytes: Count,
    source: z.string(),
    alias: z.string().nullable(),
    cascade: CascadeState.nullable(),
    loaded_at: Timestamp.nullable(),
    download: z
      .object({ done_bytes: Count, total_bytes: Count })
      .optional()
      .describe("How far its files have come from the hub; absent when they are here."),
    error: z.string().nullable(),
  })
  .meta({ id: "ModelState" });
export type ModelState = z.infer<typeof ModelState>;

export const ModelMemory = z
  .object({
    used_bytes: Count,
    budget_bytes: Count.nullable().describe("MLSEC_MODEL_MEMORY_MB; null without one."),
    evictions: Count.describe("Models unloaded for another's sake since the start."),
  })
  .meta({ id: "ModelMemory" });
export type ModelMemory = z.infer<typeof ModelMemory>;

export const VerdictStats = z
  .object({
    window_seconds: Count,
    verdicts: Count,
    attacks: Count,
    rate_per_second: z.number(),
    latency_ms: z.object({ p50: z.number(), p95: z.number(), p99: z.number() }).nullable(),
    by_label: z.record(z.string(), Count),
    cache: z.object({ hits: Count, misses: Count, entries: Count, capacity: Count }),
    series: z.array(z.object({ at: Timestamp, verdicts: Count, attacks: Count, p50_ms: z.number().nullable() })),
  })
  .meta({ id: "VerdictStats" });
export type VerdictStats = z.infer<typeof VerdictStats>;

export const VerdictHistory = z
  .object({
    daily: z.array(z.object({ date: z.iso.date(), verdicts: Count, attacks: Count })),
    latency_ms: z.object({ p50: z.number(), p95: z.number(), p99: z.number() }).nullable(),
    feedback: z.object({ total: Count, disagreed: Count }),
  })
  .meta({ id: "VerdictHistory" });
export type VerdictHistory = z.infer<typeof VerdictHistory>;

const ExplainAnswer = z
  .object({
    model_name: z.string(),
    model_version: z.string(),
    method: z.enum(["occlusion", "gradient"]),
    attack_probability: Rate,
    tokens: z
      .array(z.object({ text: z.string(), start: Count, end: Count, attribution: z.number() }))
      .describe("Words in order; attribution is a probability for occlusion, log odds for gradient."),
  })
  .meta({ id: "Explanation" });

export const modelApi = {
  predict: route({
    method: "POST",
    path: "/predict",
    summary: "Judge one text",
    scope: "predict",
    body: PredictRequest,
    responses: { 200: Verdict },
  }),
  predictBatch: route({
    method: "POST",
    path: "/predict/batch",
    summary: "Judge up to 1,000 texts; one bad item is an error in its place",
    scope: "predict",
    body: BatchBody,
    responses: { 200: BatchAnswer },
  }),
  predictEnsemble: route({
    method: "POST",
    path: "/predict/ensemble",
    summary: "Judge one text with several models and combine them",
    scope: "predict",
    body: z.strictObject({
      text: Text,
      models: z.array(ModelName).min(1).max(8).optional(),
      ensemble_method: EnsembleMethod.default("averaging"),
      model_weights: z.record(ModelName, z.number().min(0)).optional(),
    }),
    responses: {
      200: Verdict.extend({ model_weights: z.record(z.string(), z.number()), ensemble_method: EnsembleMethod }),
    },
  }),
  listModels: route({
    method: "GET",
    path: "/models",
    summary: "Every model known here and its state",
    scope: "read",
    responses: {
      200: z.object({
        models: z.array(ModelState),
        default_model: z.string(),
        execution_provider: z.enum(["cpu", "cuda"]).describe("MLSEC_EXECUTION_PROVIDER."),
        memory: ModelMemory,
        next_cursor: z.null(),
      }),
    },
  }),
  getModel: route({
    method: "GET",
    path: "/models/{name}",
    summary: "One model",
    scope: "read",
    params: NameParams,
    responses: { 200: ModelState },
  }),
  modelFile: route({
    method: "GET",
    path: "/models/{name}/files/{file}",
    summary: "One file of a loaded detector, to judge with it elsewhere; its checksum stands in detector.json",
    scope: "read",
    kind: "file",
    params: NameParams.extend({ file: z.string().min(1).max(200) }),
    query: z.strictObject({
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional()
        .describe("The checksum that is expected: any other is NOT_FOUND, and the answer may be cached for ever."),
    }),
    responses: { 200: z.string() },
  }),
  loadModel: route({
    method: "POST",
    path: "/models/{name}/load",
    summary: "Load a model; one that must be fetched first may be answered 202, and is then in state loading",
    scope: "admin",
    params: NameParams,
    body: z
      .strictObject({ version: z.string().max(40).optional(), label_map: z.record(z.string(), Label).optional() })
      .optional(),
    responses: { 200: ModelState, 202: ModelState },
  }),
  unloadModel: route({
    method: "POST",
    path: "/models/{name}/unload",
    summary: "Unload a model, or stop fetching it",
    scope: "admin",
    params: NameParams,
    responses: { 200: ModelState },
  }),
  reloadModel: route({
    method: "POST",
    path: "/models/{name}/reload",
    summary: "Load the champion again, without dropping a request",
    scope: "admin",
    params: NameParams,
    responses: { 200: ModelState },
  }),
  feedback: route({
    method: "POST",
    path: "/verdicts/{id}/feedback",
    summary: "Say what a text really was; goes to the review queue, changes no model by itself",
    scope: "predict",
    params: z.strictObject({ id: z.string().min(1).max(200) }),
    body: z.strictObject({ label: Label, note: z.string().max(2000).optional() }),
    responses: { 202: z.object({ verdict_id: z.string(), label: Label, stored_at: Timestamp }) },
  }),
  explain: route({
    method: "POST",
    path: "/explain",
    summary: "How much each word moved the verdict: by leaving it out, or by the gradient",
    scope: "predict",
    body: z.strictObject({
      text: z.string().max(4000),
      model_name: ModelName.optional(),
      method: z
        .enum(["occlusion", "gradient"])
        .default("occlusion")
        .describe(
          "occlusion: fall of P(attack) without the word; gradient: what the word adds to the log odds over an average word (integrated gradients).",
        ),
    }),
    responses: { 200: ExplainAnswer },
  }),
  stats: route({
    method: "GET",
    path: "/stats",
    summary: "Verdict rate, latency and classes of the last minutes",
    scope: "read",
    query: z.strictObject({ minutes: z.coerce.number().int().min(1).max(60).default(15) }),
    responses: { 200: VerdictStats },
  }),
  history: route({
    method: "GET",
    path: "/stats/daily",
    summary: "Stored verdicts per day (UTC), their latency, and what people said about them",
    scope: "read",
    query: z.strictObject({ days: z.coerce.number().int().min(1).max(3650).default(30) }),
    responses: { 200: VerdictHistory },
  }),
  clearCache: route({
    method: "DELETE",
    path: "/cache",
    summary: "Forget cached verdicts, of one model or of all",
    scope: "admin",
    query: z.strictObject({ model_name: ModelName.optional() }),
    responses: { 200: z.object({ evicted: Count }) },
  }),
};
