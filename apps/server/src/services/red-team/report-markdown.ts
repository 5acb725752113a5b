// A test for a pull request: short, the details folded away.
import type { Finding, MatrixCell } from "@mlsec/contracts";
import { isActive } from "./compliance.ts";
import type { Report } from "./report-data.ts";
import { between, percent, severities } from "./report-words.ts";
import { intervalOf } from "./statistics.ts";

const mostRows = 15;

export function markdownReport({ test, findings, cells, controls }: Report): string {
  const status = test.overall_status ?? test.status;
  const active = findings.filter(isActive);
  const answered = test.done - test.errored;
  const parts = [
    `## Red team: ${escapeMarkdown(test.model_name)} version ${escapeMarkdown(test.model_version)}: ${status}`,
    table(
      ["", "value", "95 % interval", "of"],
      [
        [
          test.overall_status === "UNLABELLED" ? "Flagged" : "Attacks detected",
          percent(test.detection_rate),
          between(test.confidence_interval),
          `${test.total_attacks} attacks`,
        ],
        [
          "Harmless twins flagged",
          percent(test.false_positive_rate),
          falseInterval(cells),
          `${test.total_benign} twins`,
        ],
        ["Coverage", `${answered} of ${test.total} answered`, "", `${test.errored} errored, neither hit nor miss`],
        ["Risk score", test.risk_score === null ? "–" : `${test.risk_score} of 100`, "", ""],
      ],
    ),
    ...(test.error === null ? [] : [`**${escapeMarkdown(test.error)}**`]),
    `Threshold ${test.threshold === null ? "unknown" : test.threshold.toFixed(4)}${test.seed === null ? "" : `, seed ${test.seed}`}, test \`${test.test_id}\`.`,
    `### Findings: ${severities.map((one) => `${active.filter(({ severity }) => severity === one).length} ${one}`).join(", ")}`,
    ...(findings.length > active.length ? [`${findings.length - active.length} more are decided or suppressed.`] : []),
    ...(active.length === 0 ? [] : [findingTable(active)]),
    folded("Weakest pattern × mutator", weakest(cells)),
    folded(
      "Taxonomies",
      table(
        ["entry", "title", "detected", "95 % interval", "findings"],
        controls.map((one) => [
          one.tag,
          one.title,
          `${one.detected} of ${one.attacks}`,
          between(one.interval),
          String(one.findings),
        ]),
      ),
    ),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function falseInterval(cells: readonly MatrixCell[]): string {
  const twins = cells.reduce((sum, cell) => sum + cell.twins, 0);
  return between(
    twins === 0
      ? null
      : intervalOf(
          cells.reduce((sum, cell) => sum + cell.false_alarms, 0),
          twins,
        ),
  );
}

function findingTable(findings: readonly Finding[]): string {
  const rows = findings
    .slice(0, mostRows)
    .map(({ severity, kind, category, pattern, mutator, occurrences }) => [
      ...[severity, kind === "missed" ? "missed" : "false alarm", category],
      ...[pattern ?? "given text", mutator ?? "none", String(occurrences)],
    ]);
  const rest = findings.length > mostRows ? `\n\n… and ${findings.length - mostRows} more.` : "";
  return `${table(["severity", "kind", "category", "pattern", "mutator", "seen"], rows)}${rest}`;
}

function weakest(cells: readonly MatrixCell[]): string {
  const worst = cells
    .filter(({ attacks, detected }) => attacks > detected)
    .toSorted((a, b) => a.detected / a.attacks - b.detected / b.attacks || b.attacks - a.attacks)
    .slice(0, mostRows);
  if (worst.length === 0) return "";
  return table(
    ["pattern", "mutator", "detected", "95 % interval", "twins flagged"],
    worst.map((cell) => [
      ...[cell.pattern, cell.mutator, `${cell.detected} of ${cell.attacks}`, between(cell.confidence_interval)],
      `${cell.false_alarms} of ${cell.twins}`,
    ]),
  );
}

const folded = (title: string, content: string): string =>
  content === "" ? "" : `<details><summary>${title}</summary>\n\n${content}\n\n</details>`;

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0
    ? ""
    : [header, header.map(() => "---"), ...rows.map((row) => row.map(escapeMarkdown))]
        .map((row) => `| ${row.join(" | ")} |`)
        .join("\n");

/** Nothing in a name can be markup, a link, a mention or the end of a table's cell. */
export const escapeMarkdown = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
    .replace(/[\\`*_{}[\]()#+!|<>~@&]/g, (character) => `&#${character.codePointAt(0)};`);
