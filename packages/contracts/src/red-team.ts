/** Red Team, port 8001: tests of a detector, with benign twins beside the attacks. */
import * as z from "zod";
import {
  AttackLabel,
  Count,
  IdParams,
  Interval,
  Label,
  ModelName,
  NextCursor,
  Page,
  Rate,
  Timestamp,
} from "./fields.ts";
import { findingRoutes, Severity } from "./findings.ts";
import { route } from "./route.ts";

export const TestText = z.union([
  z.string(),
  z.strictObject({ text: z.string(), expected: z.union([Label, z.literal("attack")]).optional() }),
]);

export const TestRequest = z
  .strictObject({
    model_name: ModelName.optional(),
    test_texts: z.array(TestText).min(1).max(1000).optional(),
    attack_categories: z.array(AttackLabel).min(1).optional(),
    patterns: z.array(z.string().max(100)).min(1).max(200).optional(),
    num_attacks: z.int().min(1).max(5000).default(100),
    mutators: z
      .array(z.string().max(100))
      .max(100)
      .optional()
      .describe("Mutators to apply; none means attacks as they are."),
    benign_twins: z.boolean().default(true),
    pass_threshold: Rate.default(0.8),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(7),
    wait: z.boolean().default(false).describe("Answer when a generated test has ended, not with 202."),
  })
  .meta({ id: "TestRequest" });

export const TestStatus = z.enum(["running", "completed", "failed", "cancelled"]).meta({ id: "TestStatus" });
export const AttemptResult = z
  .object({
    text: z.string(),
    category: z.string().nullable().describe("Expected label; null when the text came without one."),
    pattern: z.string().nullable(),
    mutator: z.string().nullable(),
    benign: z.boolean(),
    prediction: z.string().nullable(),
    confidence: Rate.nullable(),
    detected: z.boolean().nullable(),
    severity: Severity.nullable(),
    status: z.enum(["detected", "missed", "passed", "false_alarm", "flagged", "not_flagged", "errored"]),
    error: z.string().optional(),
  })
  .meta({ id: "AttemptResult" });
export type AttemptResult = z.infer<typeof AttemptResult>;

export const CategoryFigures = z
  .object({ attacks: Count, detected: Count, detection_rate: Rate, confidence_interval: Interval })
  .meta({ id: "CategoryFigures" });

export const TestSummary = z
  .object({
    test_id: z.string(),
    status: TestStatus,
    trigger: z.enum(["manual", "first_start", "generated"]),
    overall_status: z.enum(["PASS", "FAIL", "UNLABELLED"]).nullable(),
    model_name: z.string(),
    requested_model: z.string(),
    model_version: z.string(),
    detection_rate: Rate.nullable().describe(
      "Detected ÷ attacks that got an answer; the share flagged where no text has a label; null while nothing is answered or only benign texts ran.",
    ),
    false_positive_rate: Rate.nullable().describe("Benign texts flagged ÷ benign texts that got an answer."),
    confidence_interval: Interval.nullable().describe("Of the detection rate: Wilson's, 95 %."),
    total_attacks: Count.describe("Texts known to be attacks; 0 where no text has a label."),
    total_benign: Count,
    vulnerabilities_found: Count,
    false_alarms: Count,
    errored: Count,
    done: Count,
    total: Count,
    risk_score: z
      .number()
      .min(0)
      .max(100)
      .nullable()
      .describe(
        "Share of attacks missed, each weighted by severity (low 1, medium 2, high 4, critical 8), in percent.",
      ),
    pass_threshold: Rate,
    threshold: Rate.nullable(),
    by_category: z.record(z.string(), CategoryFigures),
    by_mutator: z
      .record(z.string(), CategoryFigures)
      .describe("`none` are the attacks as they are; empty where nothing was mutated."),
    seed: z.int().nullable(),
    created_at: Timestamp,
    finished_at: Timestamp.nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: "TestSummary" });
export type TestSummary = z.infer<typeof TestSummary>;
export const TestResult = TestSummary.extend({ results: z.array(AttemptResult) }).meta({ id: "TestResult" });
export type TestResult = z.infer<typeof TestResult>;

const Pattern = z.object({
  id: z.string(),
  technique: z.string(),
  goal: z.string(),
  severity: Severity,
  label: z.string(),
  tags: z.array(z.string()),
  source: z.string(),
});
const Mutator = z.object({ id: z.string(), group: z.string(), summary: z.string(), reversible: z.boolean() });

export const redTeam = {
  test: route({
    method: "POST",
    path: "/test",
    summary: "Attack a detector: given texts answer at once, generated attacks run as a job",
    scope: "redteam",
    body: TestRequest,
    responses: { 200: TestResult, 202: TestSummary },
  }),
  results: route({
    method: "GET",
    path: "/results",
    summary: "Tests, newest first",
    scope: "read",
    query: Page.extend({ model_name: ModelName.optional(), from: Timestamp.optional(), to: Timestamp.optional() }),
    responses: { 200: z.object({ results: z.array(TestSummary), next_cursor: NextCursor }) },
  }),
  result: route({
    method: "GET",
    path: "/results/{id}",
    summary: "One test with its attempts",
    scope: "read",
    params: IdParams,
    responses: { 200: TestResult },
  }),
  status: route({
    method: "GET",
    path: "/status/{id}",
    summary: "How far a test is",
    scope: "read",
    params: IdParams,
    responses: { 200: TestSummary },
  }),
  statusAll: route({
    method: "GET",
    path: "/status",
    summary: "Tests that run now",
    scope: "read",
    responses: { 200: z.object({ running: z.array(TestSummary), next_cursor: z.null() }) },
  }),
  cancel: route({
    method: "DELETE",
    path: "/results/{id}",
    summary: "Cancel a running test",
    scope: "redteam",
    params: IdParams,
    responses: { 200: TestSummary },
  }),
  patterns: route({
    method: "GET",
    path: "/patterns",
    summary: "Attack patterns",
    scope: "read",
    responses: { 200: z.object({ patterns: z.array(Pattern), next_cursor: z.null() }) },
  }),
  mutators: route({
    method: "GET",
    path: "/mutators",
    summary: "Mutators",
    scope: "read",
    responses: { 200: z.object({ mutators: z.array(Mutator), next_cursor: z.null() }) },
  }),
  taxonomies: route({
    method: "GET",
    path: "/taxonomies",
    summary: "Taxonomy entries that tags point to",
    scope: "read",
    responses: {
      200: z.object({
        taxonomies: z.array(z.object({ id: z.string(), taxonomy: z.string(), title: z.string(), url: z.string() })),
        next_cursor: z.null(),
      }),
    },
  }),
  ...findingRoutes,
};
