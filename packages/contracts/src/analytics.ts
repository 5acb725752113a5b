/** Analytics, port 8003: what tests and versions showed, and how the system is. */
import * as z from "zod";
import { Count, ModelName, NameParams, NextCursor, Page, Rate, Timestamp } from "./fields.ts";
import { route } from "./route.ts";

const AttackResult = z.record(z.string(), z.unknown());
export const StoredTest = z
  .strictObject({
    test_id: z.string().min(1).max(200),
    model_name: ModelName,
    model_version: z.string().max(40).optional(),
    requested_model: z.string().max(200).optional(),
    model_type: z.string().max(100).optional(),
    trigger: z.string().max(100).default("manual"),
    labelled: z
      .boolean()
      .default(true)
      .describe("False for tests of texts without expected labels: counted, in no average."),
    total_attacks: Count,
    vulnerabilities_found: Count,
    detection_rate: Rate,
    false_positive_rate: Rate.nullable().default(null),
    total_benign: Count.default(0),
    errored: Count.default(0),
    attack_categories: z.array(z.string().max(100)).max(100).default([]),
    by_category: z.record(z.string(), z.object({ attacks: Count, detected: Count })).default({}),
    attack_results: z
      .array(AttackResult)
      .max(5000)
      .default([])
      .describe("Without raw texts: hashes, categories, scores."),
    created_at: Timestamp.optional(),
  })
  .meta({ id: "StoredTest" });
export type StoredTest = z.infer<typeof StoredTest>;

export const ModelPerformance = z
  .object({
    detection_rate: Rate,
    false_positive_rate: Rate.nullable(),
    tests: Count,
    attacks: Count,
    last_test: Timestamp,
    model_version: z.string().nullable(),
  })
  .meta({ id: "ModelPerformance" });

const SummaryRow = z.object({
  test_id: z.string(),
  model_name: z.string(),
  model_version: z.string().nullable(),
  trigger: z.string(),
  labelled: z.boolean(),
  detection_rate: Rate,
  false_positive_rate: Rate.nullable(),
  total_attacks: Count,
  vulnerabilities_found: Count,
  errored: Count,
  by_category: z.record(z.string(), z.object({ attacks: Count, detected: Count })),
  created_at: Timestamp,
});
const Days = z.strictObject({
  days: z.coerce.number().int().min(1).max(3650).optional().describe("Only the last days; all time when absent."),
});
const Range = z.object({ from: Timestamp.nullable(), to: Timestamp, days: z.int().nullable() });

export const RedTeamSummary = z
  .object({
    total_tests: Count,
    average_detection_rate: Rate.describe(
      "Over all labelled tests, each weighted by its attacks: detected ÷ attacks. 0 where there are none.",
    ),
    average_false_positive_rate: Rate.nullable().describe(
      "Over all labelled tests, each weighted by its benign texts.",
    ),
    model_performance: z.record(z.string(), ModelPerformance),
    summary: z.array(SummaryRow).describe("The newest 200 tests, newest first."),
    time_range: Range,
  })
  .meta({ id: "RedTeamSummary" });

export type RedTeamSummary = z.infer<typeof RedTeamSummary>;

const Performance = z.strictObject({
  model_name: ModelName,
  model_version: z.string().max(40),
  accuracy: Rate,
  precision: Rate,
  recall: Rate,
  f1_score: Rate,
  roc_auc: Rate.optional(),
  false_positive_rate: Rate.optional(),
  threshold: Rate.optional(),
  dataset: z.string().max(500).optional(),
  run_id: z.string().max(100).optional(),
});

export const ServiceHealth = z
  .object({
    name: z.string(),
    kind: z.enum(["service", "dependency"]),
    status: z.enum(["healthy", "degraded", "down"]),
    latency_ms: z.number().nullable(),
    checked_at: Timestamp,
    detail: z.string(),
    address: z.string().nullable(),
  })
  .meta({ id: "ServiceHealth" });
export const SystemHealth = z
  .object({ overall: z.enum(["healthy", "degraded", "down"]), services: z.array(ServiceHealth) })
  .meta({ id: "SystemHealth" });
export type SystemHealth = z.infer<typeof SystemHealth>;

export const analytics = {
  storeTest: route({
    method: "POST",
    path: "/red-team/results",
    summary: "Store a finished test; the same id twice is stored once",
    scope: "redteam",
    body: StoredTest,
    responses: {
      201: z.object({ message: z.string(), test_id: z.string(), stored_at: Timestamp }),
      200: z.object({ message: z.string(), test_id: z.string(), stored_at: Timestamp }),
    },
  }),
  summary: route({
    method: "GET",
    path: "/red-team/summary",
    summary: "What the tests showed, per model",
    scope: "read",
    query: Days,
    responses: { 200: RedTeamSummary },
  }),
  trends: route({
    method: "GET",
    path: "/red-team/trends",
    summary: "Detection and false positives per day and model",
    scope: "read",
    query: Days,
    responses: {
      200: z.object({
        trends: z.array(
          z.object({
            date: z.iso.date(),
            model_name: z.string(),
            detection_rate: Rate,
            false_positive_rate: Rate.nullable(),
            tests: Count,
          }),
        ),
        summary_stats: z.object({ days: Count, tests: Count, attacks: Count, average_detection_rate: Rate.nullable() }),
      }),
    },
  }),
  comparison: route({
    method: "GET",
    path: "/red-team/comparison/{name}",
    summary: "Champion against the version before, per category",
    scope: "read",
    params: NameParams,
    responses: {
      200: z.object({
        model_name: z.string(),
        current: z
          .object({
            version: z.string(),
            by_category: z.record(z.string(), z.object({ attacks: Count, detected: Count, detection_rate: Rate })),
          })
          .nullable(),
        previous: z
          .object({
            version: z.string(),
            by_category: z.record(z.string(), z.object({ attacks: Count, detected: Count, detection_rate: Rate })),
          })
          .nullable(),
      }),
    },
  }),
  storePerformance: route({
    method: "POST",
    path: "/model/performance",
    summary: "Store a version's evaluation",
    scope: "train",
    body: Performance,
    responses: { 201: z.object({ message: z.string(), stored_at: Timestamp }) },
  }),
  performance: route({
    method: "GET",
    path: "/model/performance/{name}",
    summary: "A model's evaluations, newest first",
    scope: "read",
    params: NameParams,
    query: Page,
    responses: {
      200: z.object({ performance: z.array(Performance.extend({ stored_at: Timestamp })), next_cursor: NextCursor }),
    },
  }),
  systemHealth: route({
    method: "GET",
    path: "/system/health",
    summary: "Every service and dependency, probed now",
    scope: "read",
    responses: { 200: SystemHealth },
  }),
};
