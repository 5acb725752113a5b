/** Business Metrics (8004), Data Privacy (8005), Model Cache (8006), Model Serving (8080) and Monitoring (8501). */
import * as z from "zod";
import { Count, ModelName, NameParams, Rate, Timestamp } from "./fields.ts";
import { Job } from "./training.ts";
import { ModelMemory, ModelState, VerdictStats } from "./model-api.ts";
import { SystemHealth } from "./analytics.ts";
import { TestSummary } from "./red-team.ts";
import { route } from "./route.ts";

const Days = z.strictObject({ days: z.coerce.number().int().min(1).max(3650).default(30) });

export const businessMetrics = {
  kpis: route({
    method: "GET",
    path: "/kpis",
    summary: "What the guard did in figures, from stored verdicts, tests and jobs",
    scope: "read",
    query: Days,
    responses: {
      200: z.object({
        days: Count,
        verdicts: Count,
        attacks_flagged: Count,
        attack_share: Rate.nullable(),
        feedback: z.object({ total: Count, disagreed: Count }),
        verdict_latency_ms: z.object({ p50: z.number(), p95: z.number(), p99: z.number() }).nullable(),
        tests: Count,
        training_jobs: z.object({ completed: Count, failed: Count }),
        generated_at: Timestamp,
      }),
    },
  }),
  daily: route({
    method: "GET",
    path: "/kpis/daily",
    summary: "Verdicts and flagged attacks per day",
    scope: "read",
    query: Days,
    responses: {
      200: z.object({
        daily: z.array(z.object({ date: z.iso.date(), verdicts: Count, attacks_flagged: Count })),
        next_cursor: z.null(),
      }),
    },
  }),
};

export const PiiFinding = z.object({ kind: z.string(), start: Count, end: Count }).meta({ id: "PiiFinding" });
const PiiText = z.strictObject({ text: z.string(), kinds: z.array(z.string().max(40)).max(50).optional() });
export const dataPrivacy = {
  find: route({
    method: "POST",
    path: "/pii/find",
    summary: "Where a text holds personal data (e-mail, phone, card, IBAN, IP address, …)",
    scope: "predict",
    body: PiiText,
    responses: { 200: z.object({ findings: z.array(PiiFinding) }) },
  }),
  redact: route({
    method: "POST",
    path: "/pii/redact",
    summary: "The text with personal data replaced by its kind",
    scope: "predict",
    body: PiiText,
    responses: { 200: z.object({ text: z.string(), findings: z.array(PiiFinding) }) },
  }),
  kinds: route({
    method: "GET",
    path: "/pii/kinds",
    summary: "Kinds of personal data it finds",
    scope: "read",
    responses: {
      200: z.object({ kinds: z.array(z.object({ id: z.string(), summary: z.string() })), next_cursor: z.null() }),
    },
  }),
  retention: route({
    method: "GET",
    path: "/retention",
    summary: "Which tables are kept, how large they are, and which of them hold text",
    scope: "read",
    responses: {
      200: z.object({
        tables: z.array(
          z.object({
            table: z.string(),
            rows_estimate: Count.describe("From the database's statistics, not counted."),
            bytes: Count,
            keeps_text: z.boolean(),
            note: z.string().nullable().describe("The table's own comment: what it keeps and for how long."),
          }),
        ),
        store_text: z.string(),
        next_cursor: z.null(),
      }),
    },
  }),
};

export const modelCache = {
  stats: route({
    method: "GET",
    path: "/cache/stats",
    summary: "Loaded models and cached verdicts",
    scope: "read",
    responses: {
      200: z.object({
        models: z.array(ModelState),
        verdicts: VerdictStats.shape.cache.extend({ hit_rate: Rate.nullable() }),
        memory_bytes: Count,
        budget_bytes: ModelMemory.shape.budget_bytes,
        evictions: Count,
      }),
    },
  }),
  warm: route({
    method: "POST",
    path: "/cache/warm",
    summary: "Load models before they are asked for",
    scope: "admin",
    body: z.strictObject({ models: z.array(ModelName).min(1).max(8) }),
    responses: { 200: z.object({ models: z.array(ModelState) }) },
  }),
  evictModel: route({
    method: "DELETE",
    path: "/cache/models/{name}",
    summary: "Unload a model",
    scope: "admin",
    params: NameParams,
    responses: { 200: ModelState },
  }),
  evictVerdicts: route({
    method: "DELETE",
    path: "/cache/verdicts",
    summary: "Forget cached verdicts, of one model or of all",
    scope: "admin",
    query: z.strictObject({ model_name: ModelName.optional() }),
    responses: { 200: z.object({ evicted: Count }) },
  }),
};

/** Open Inference Protocol v2: the wire names are the protocol's. Unknown members are allowed, as it asks. */
export const OipTensor = z
  .looseObject({
    name: z.string(),
    shape: z.array(z.int().min(0)),
    datatype: z.string(),
    data: z.array(z.unknown()).optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: "OipTensor" });
const OipMeta = z.object({ name: z.string(), shape: z.array(z.int()), datatype: z.string() });
const OipModel = z.strictObject({ model: ModelName });
const OipVersion = z.strictObject({ model: ModelName, version: z.string().min(1).max(40) });
const OipModelMeta = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(OipMeta),
  outputs: z.array(OipMeta),
});
const OipRequest = z.looseObject({
  id: z.string().optional(),
  inputs: z.array(OipTensor).min(1),
  outputs: z.array(z.looseObject({ name: z.string() })).optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
});
const OipAnswer = z.object({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string().optional(),
  outputs: z.array(
    z.object({ name: z.string(), shape: z.array(z.int()), datatype: z.string(), data: z.array(z.unknown()) }),
  ),
});
export const modelServing = {
  server: route({
    method: "GET",
    path: "/v2",
    summary: "Server metadata",
    scope: "read",
    responses: { 200: z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) }) },
  }),
  live: route({
    method: "GET",
    path: "/v2/health/live",
    summary: "Alive",
    scope: "open",
    responses: { 200: z.object({ live: z.boolean() }) },
  }),
  v2Ready: route({
    method: "GET",
    path: "/v2/health/ready",
    summary: "Ready",
    scope: "open",
    responses: { 200: z.object({ ready: z.boolean() }) },
  }),
  model: route({
    method: "GET",
    path: "/v2/models/{model}",
    summary: "Model metadata",
    scope: "read",
    params: OipModel,
    responses: { 200: OipModelMeta },
  }),
  modelVersion: route({
    method: "GET",
    path: "/v2/models/{model}/versions/{version}",
    summary: "Model metadata of a version",
    scope: "read",
    params: OipVersion,
    responses: { 200: OipModelMeta },
  }),
  modelReady: route({
    method: "GET",
    path: "/v2/models/{model}/ready",
    summary: "Model readiness",
    scope: "open",
    params: OipModel,
    responses: { 200: z.object({ name: z.string(), ready: z.boolean() }) },
  }),
  infer: route({
    method: "POST",
    path: "/v2/models/{model}/infer",
    summary: "Judge texts: one BYTES input named text",
    scope: "predict",
    params: OipModel,
    body: OipRequest,
    responses: { 200: OipAnswer },
  }),
  inferVersion: route({
    method: "POST",
    path: "/v2/models/{model}/versions/{version}/infer",
    summary: "Judge texts with a version",
    scope: "predict",
    params: OipVersion,
    body: OipRequest,
    responses: { 200: OipAnswer },
  }),
};

/** One picture of the system, pushed to the dashboard whenever it changes. */
export const LivePicture = z
  .object({
    at: Timestamp,
    health: SystemHealth,
    verdicts: VerdictStats.nullable(),
    jobs: z.array(Job).describe("Running and queued jobs, then the newest ended ones; ten at most."),
    tests: z.array(TestSummary).describe("Running tests, then the newest ended one."),
  })
  .meta({ id: "LivePicture" });
export type LivePicture = z.infer<typeof LivePicture>;
export const monitoring = {
  live: route({
    method: "GET",
    path: "/api/live",
    summary: "The system as server-sent events (`picture`), one at once and then every second or two",
    scope: "read",
    kind: "sse",
    responses: { 200: LivePicture },
  }),
  picture: route({
    method: "GET",
    path: "/api/picture",
    summary: "The same picture once",
    scope: "read",
    responses: { 200: LivePicture },
  }),
};
