/** Findings of the red team: what got through or was flagged wrongly, once each, with triage, replay and comparison. */
import * as z from "zod";
import { Count, IdParams, Interval, ModelName, NextCursor, Page, Rate, Timestamp } from "./fields.ts";
import { route } from "./route.ts";

export const Severity = z.enum(["low", "medium", "high", "critical"]).meta({ id: "Severity" });
export type Severity = z.infer<typeof Severity>;

export const FindingState = z
  .enum(["open", "confirmed", "false_positive", "accepted_risk", "fixed"])
  .meta({ id: "FindingState" });
export type FindingState = z.infer<typeof FindingState>;
export const FindingKind = z.enum(["missed", "false_alarm"]).meta({ id: "FindingKind" });
export type FindingKind = z.infer<typeof FindingKind>;

export const SeverityParts = z
  .object({
    impact: z.number().describe("A missed attack: its pattern's or category's weight, 1 to 8. A false alarm: 2."),
    exposure: z.number().describe("1 as it is, ½ behind a mutator, ¼ behind a stack of them."),
    weight: z.number().describe("impact × exposure, 1 at least; it decides the severity."),
  })
  .meta({ id: "SeverityParts" });

const Replayed = z.object({
  at: Timestamp,
  model_version: z.string(),
  stands: z.boolean(),
  prediction: z.string(),
  confidence: Rate,
});

export const Finding = z
  .object({
    finding_id: z.string(),
    fingerprint: z.string().describe("The same in every test: of model, pattern, mutators and normalised text."),
    kind: FindingKind,
    model_name: z.string(),
    category: z.string(),
    pattern: z.string().nullable(),
    mutator: z.string().nullable(),
    severity: Severity,
    severity_parts: SeverityParts,
    state: FindingState,
    note: z.string().nullable(),
    triaged_by: z.string().nullable(),
    triaged_at: Timestamp.nullable(),
    suppression: z.object({ reason: z.string(), until: Timestamp, by: z.string() }).nullable(),
    occurrences: Count.describe("Attempts that showed it, over all tests."),
    versions: z.array(z.string()).describe("Versions it was seen on."),
    first_seen: Timestamp,
    last_seen: Timestamp,
    last_test_id: z.string(),
    fixed_version: z.string().nullable(),
    last_replay: Replayed.nullable(),
  })
  .meta({ id: "Finding" });
export type Finding = z.infer<typeof Finding>;

export const FindingEvent = z
  .object({
    at: Timestamp,
    by: z.string(),
    event: z.enum(["opened", "triaged", "suppressed", "unsuppressed", "expired", "reopened", "fixed", "replayed"]),
    state: FindingState.describe("The state after it."),
    note: z.string().nullable(),
  })
  .meta({ id: "FindingEvent" });

export const FindingDetail = Finding.extend({
  history: z.array(FindingEvent),
  reproduce: z
    .object({ test_id: z.string(), ordinal: Count, seed: z.int().nullable(), campaign: z.unknown() })
    .describe("Draws the text again: the campaign and the place in it. Null campaign: a given text of that test."),
  text: z.string().optional().describe("Only with `text=1`, the scope `redteam` and a policy that keeps texts."),
}).meta({ id: "FindingDetail" });
export type FindingDetail = z.infer<typeof FindingDetail>;

const FindingQuery = Page.extend({
  model_name: ModelName.optional(),
  state: FindingState.optional(),
  severity: Severity.optional(),
  kind: FindingKind.optional(),
  category: z.string().max(100).optional(),
  pattern: z.string().max(100).optional(),
  mutator: z.string().max(200).optional().describe("`none` for attacks as they are."),
  test_id: z.string().max(100).optional().describe("Only what this test showed."),
  suppressed: z.enum(["no", "yes", "all"]).default("no"),
});

export const TriageRequest = z
  .strictObject({
    state: FindingState.optional(),
    note: z.string().trim().min(1).max(2000).optional().describe("Required for false_positive and accepted_risk."),
    suppress: z
      .strictObject({ reason: z.string().trim().min(3).max(500), until: Timestamp })
      .nullable()
      .optional()
      .describe("Out of the lists and reports until then, a year at most; null ends it."),
  })
  .meta({ id: "TriageRequest" });

const WithText = z.strictObject({ text: z.literal("1").optional() });

export const MatrixCell = z
  .object({
    pattern: z.string(),
    mutator: z.string(),
    attacks: Count.describe("Answered ones."),
    detected: Count,
    twins: Count.describe("Answered ones."),
    false_alarms: Count,
    errored: Count,
    confidence_interval: Interval.nullable().describe("Of the detection rate: Wilson's, 95 %."),
  })
  .meta({ id: "MatrixCell" });
export type MatrixCell = z.infer<typeof MatrixCell>;

const Difference = z.object({ value: z.number(), low: z.number(), high: z.number() }).nullable();
const ComparedTest = z.object({
  test_id: z.string(),
  model_name: z.string(),
  model_version: z.string(),
  created_at: Timestamp,
  seed: z.int().nullable(),
  detection_rate: Rate.nullable(),
  detection_interval: Interval.nullable(),
  false_positive_rate: Rate.nullable(),
  false_positive_interval: Interval.nullable(),
  errored: Count,
});
const Compared = z.object({
  kind: FindingKind,
  category: z.string().nullable(),
  pattern: z.string().nullable(),
  mutator: z.string().nullable(),
  severity: Severity.nullable(),
  finding_id: z.string().nullable(),
});
const Share = z.object({ count: Count, of: Count, interval: Interval.nullable() });

export const Comparison = z
  .object({
    base: ComparedTest,
    other: ComparedTest,
    detection_difference: Difference.describe("other − base, with Newcombe's 95 % interval."),
    false_positive_difference: Difference,
    shared: Count.describe("Distinct texts that both tests got an answer for."),
    fixed: Share.describe("Wrong in base, right in other; of those wrong in base."),
    new: Share.describe("Right in base, wrong in other; of those right in base."),
    same: Share.describe("Wrong in both; of those wrong in base."),
    unshared: z
      .object({ base: Count, other: Count })
      .describe("Wrong ones that only one of the two asked: neither new nor fixed."),
    rows: z
      .object({ new: z.array(Compared), fixed: z.array(Compared), same: z.array(Compared) })
      .describe("Severest first, 200 of each at most."),
  })
  .meta({ id: "Comparison" });
export type Comparison = z.infer<typeof Comparison>;

const RiskPart = z.object({
  category: z.string(),
  mutated: z.boolean(),
  attacks: Count,
  missed: Count,
  miss_interval: Interval.nullable(),
  weight: z.number().describe("Weight of its attacks."),
  missed_weight: z.number(),
  points: z.number().describe("What it adds to the score; the points of all parts add up to it."),
  accepted_points: z.number().describe("What its accepted and suppressed findings would add."),
});
export const ModelRisk = z
  .object({
    model_name: z.string(),
    model_version: z.string().describe("The version tested last; only its answers count."),
    risk_score: z.number().min(0).max(100).nullable(),
    accepted_risk: z
      .number()
      .min(0)
      .max(100)
      .describe("Points that somebody accepted or suppressed, not in the score."),
    tests: Count,
    false_positive_rate: Rate.nullable(),
    false_positive_interval: Interval.nullable(),
    open_findings: z.object({ low: Count, medium: Count, high: Count, critical: Count }),
    parts: z.array(RiskPart),
  })
  .meta({ id: "ModelRisk" });
export type ModelRisk = z.infer<typeof ModelRisk>;

export const findingRoutes = {
  findings: route({
    method: "GET",
    path: "/findings",
    summary: "Findings, severest first, without their texts",
    scope: "read",
    query: FindingQuery,
    responses: { 200: z.object({ findings: z.array(Finding), total: Count, next_cursor: NextCursor }) },
  }),
  finding: route({
    method: "GET",
    path: "/findings/{id}",
    summary: "One finding with its history",
    scope: "read",
    params: IdParams,
    query: WithText,
    responses: { 200: FindingDetail },
  }),
  triage: route({
    method: "PATCH",
    path: "/findings/{id}",
    summary: "Decide about a finding: state, note, suppression with an end",
    scope: "redteam",
    params: IdParams,
    body: TriageRequest,
    responses: { 200: FindingDetail },
  }),
  replay: route({
    method: "POST",
    path: "/findings/{id}/replay",
    summary: "Send a finding's text to the model as it is now and say whether the finding stands",
    scope: "redteam",
    params: IdParams,
    responses: { 200: z.object({ stands: z.boolean(), threshold: Rate, replay: Replayed, finding: Finding }) },
  }),
  compare: route({
    method: "GET",
    path: "/results/{id}/compare/{other}",
    summary: "Two tests side by side: new, fixed and same findings",
    scope: "read",
    params: z.strictObject({ id: z.string().min(1).max(200), other: z.string().min(1).max(200) }),
    responses: { 200: Comparison },
  }),
  matrix: route({
    method: "GET",
    path: "/results/{id}/matrix",
    summary: "Detection and false alarms of a test by pattern and mutator",
    scope: "read",
    params: IdParams,
    responses: { 200: z.object({ cells: z.array(MatrixCell), next_cursor: z.null() }) },
  }),
  risk: route({
    method: "GET",
    path: "/risk",
    summary: "Risk score of every tested model with its parts",
    scope: "read",
    query: z.strictObject({ model_name: ModelName.optional() }),
    responses: { 200: z.object({ models: z.array(ModelRisk), next_cursor: z.null() }) },
  }),
  report: route({
    method: "GET",
    path: "/reports/{file}",
    summary: "A test as a file: `<test_id>.html`, `.json`, `.jsonl`, `.csv`, `.sarif`, `.junit.xml` or `.md`",
    description:
      "Texts are left out unless `text=1` is asked for with the scope `redteam` where MLSEC_STORE_TEXT is not `none`.",
    scope: "read",
    kind: "file",
    params: z.strictObject({
      file: z
        .string()
        .regex(
          /^[\w-]+\.(html|json|jsonl|csv|sarif|junit\.xml|md)$/,
          "<test_id>.html, .json, .jsonl, .csv, .sarif, .junit.xml or .md",
        ),
    }),
    query: WithText,
    responses: { 200: z.string() },
  }),
};
