// SARIF 2.1.0 (OASIS): one result per finding, one rule per pattern and mutator, so that code-scanning tools show them.
import { tagTitle, taxonomies } from "@mlsec/attacks";
import type { Finding, Severity } from "@mlsec/contracts";
import type { Report } from "./report-data.ts";

const levels: Readonly<Record<Severity, string>> = { critical: "error", high: "error", medium: "warning", low: "note" };
/** GitHub's scale: 9.0 and more critical, 7.0 high, 4.0 medium. */
const scores: Readonly<Record<Severity, string>> = { critical: "9.5", high: "8.0", medium: "5.5", low: "2.0" };
const severest: readonly Severity[] = ["critical", "high", "medium", "low"];

export function sarifReport(report: Report): string {
  const { test, findings, tags } = report;
  const rules = [...Map.groupBy(findings, ruleId).entries()];
  const index = new Map(rules.map(([id], i) => [id, i]));
  const log = {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "mlsec", rules: rules.map(([id, of]) => ruleOf(id, of, tags)) } },
        automationDetails: { id: `red-team/${test.model_name}/`, guid: test.test_id },
        invocations: [invocationOf(report)],
        taxonomies: taxonomies.map(({ name, source, entries }) => ({
          name,
          informationUri: source,
          taxa: Object.entries(entries).map(([id, title]) => ({ id: id.toUpperCase(), name: title })),
        })),
        columnKind: "unicodeCodePoints",
        results: findings.map((finding) => ({ ruleIndex: index.get(ruleId(finding)), ...resultOf(finding, report) })),
        properties: figuresOf(report),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

export const ruleId = ({ pattern, mutator }: Pick<Finding, "pattern" | "mutator">): string =>
  `${pattern ?? "given"}/${mutator ?? "none"}`;

function ruleOf(id: string, of: readonly Finding[], tags: Report["tags"]) {
  const severity = severest.find((step) => of.some((finding) => finding.severity === step)) ?? "low";
  const { pattern, mutator } = of[0] as Finding;
  const behind = mutator === null ? "as it is" : `behind ${mutator}`;
  const taxa = tags.get(pattern ?? "") ?? [];
  return {
    id,
    name: id,
    shortDescription: { text: `${pattern ?? "Given text"} ${behind}` },
    fullDescription: { text: `Texts of the pattern ${pattern ?? "given"} ${behind}, judged wrongly by the detector.` },
    defaultConfiguration: { level: levels[severity] },
    relationships: taxa.flatMap((tag) => {
      const target = taxonOf(tag);
      return target ? [{ target, kinds: ["relevant"] }] : [];
    }),
    properties: { tags: ["security", ...taxa], "security-severity": scores[severity] },
  };
}

function taxonOf(tag: string) {
  const index = taxonomies.findIndex(({ prefix }) => tag.startsWith(`${prefix}:`));
  const taxonomy = taxonomies[index];
  if (!taxonomy || tagTitle(tag) === undefined) return undefined;
  return { id: tag.slice(taxonomy.prefix.length + 1).toUpperCase(), toolComponent: { name: taxonomy.name, index } };
}

function resultOf(finding: Finding, { test, tags }: Report) {
  const { kind, category, pattern, mutator, severity, occurrences, versions } = finding;
  const what = kind === "missed" ? `A ${category} attack was not detected` : "A harmless text was flagged";
  const uri = `models/${encodeURIComponent(test.model_name)}`;
  return {
    ruleId: ruleId(finding),
    level: levels[severity],
    kind: "fail",
    message: {
      text: `${what}: ${pattern ?? "given text"}${mutator === null ? "" : ` behind ${mutator}`}. Seen ${occurrences === 1 ? "once" : `${occurrences} times`}, on version ${versions.join(", ")}.`,
    },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri, uriBaseId: "%SRCROOT%" }, region: { startLine: 1 } },
        logicalLocations: [{ fullyQualifiedName: `${test.model_name}@${test.model_version}`, kind: "module" }],
      },
    ],
    partialFingerprints: { "mlsecFinding/v1": finding.fingerprint },
    baselineState: finding.first_seen === test.finished_at ? "new" : "unchanged",
    suppressions: suppressionsOf(finding),
    taxa: (tags.get(pattern ?? "") ?? []).flatMap((tag) => taxonOf(tag) ?? []),
    properties: { findingId: finding.finding_id, kind, severity, ...finding.severity_parts, state: finding.state },
  };
}

function suppressionsOf({ state, note, suppression }: Finding) {
  const decided = state === "false_positive" || state === "accepted_risk";
  return [
    ...(decided ? [{ kind: "external", status: "accepted", justification: `${state}: ${note ?? ""}` }] : []),
    ...(suppression
      ? [{ kind: "external", status: "accepted", justification: `${suppression.reason}, until ${suppression.until}` }]
      : []),
  ];
}

function invocationOf({ test }: Report) {
  const errored = test.errored === 0 ? [] : [`${test.errored} of ${test.total} attempts got no answer`];
  return {
    executionSuccessful: test.status === "completed",
    startTimeUtc: test.created_at,
    ...(test.finished_at === null ? {} : { endTimeUtc: test.finished_at }),
    toolExecutionNotifications: [...errored, ...(test.error === null ? [] : [test.error])].map((text) => ({
      level: "error",
      message: { text },
    })),
  };
}

const figuresOf = ({ test }: Report) => ({
  detectionRate: test.detection_rate,
  detectionInterval: test.confidence_interval,
  falsePositiveRate: test.false_positive_rate,
  riskScore: test.risk_score,
  attacks: test.total_attacks,
  twins: test.total_benign,
  errored: test.errored,
  threshold: test.threshold,
  seed: test.seed,
});
