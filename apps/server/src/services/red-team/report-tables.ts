// Tables of the HTML report.
import type { Finding, MatrixCell, TestSummary } from "@mlsec/contracts";
import { type Control, isActive } from "./compliance.ts";
import type { ReportAttempt } from "./report-data.ts";
import { escapeHtml } from "./report-escape.ts";
import { between, percent, severities } from "./report-words.ts";

const mostFindings = 500;
const cell = (value: string | number | null): string => `<td>${value === null ? "–" : escapeHtml(String(value))}</td>`;

function table(header: readonly string[], rows: readonly string[], name = ""): string {
  const head = header.map((title) => `<th scope="col">${escapeHtml(title)}</th>`).join("");
  return `<div class="scroll"><table${name === "" ? "" : ` class="${name}"`}><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

export function severityTable(findings: readonly Finding[]): string {
  const count = (of: readonly Finding[], kind: Finding["kind"]): number => of.filter((one) => one.kind === kind).length;
  const rows = severities.map((severity) => {
    const of = findings.filter((finding) => finding.severity === severity);
    const active = of.filter(isActive);
    return `<tr><td class="${severity}">${severity}</td>${[count(active, "missed"), count(active, "false_alarm"), of.length - active.length].map(cell).join("")}</tr>`;
  });
  return table(["severity", "missed attacks", "false alarms", "decided or suppressed"], rows);
}

export function findingTable(findings: readonly Finding[], attempts: readonly ReportAttempt[]): string {
  if (findings.length === 0) return `<h2>Findings</h2><p class="soft">None in ${attempts.length} attempts.</p>`;
  const rows = findings.slice(0, mostFindings).map((one) => {
    const seen = `${one.occurrences} on ${one.versions.join(", ")}`;
    const state = one.suppression
      ? `suppressed until ${one.suppression.until.slice(0, 10)}: ${one.suppression.reason}`
      : one.state;
    return `<tr id="${escapeHtml(one.finding_id)}"><td class="${one.severity}">${one.severity}</td>${cell(one.kind === "missed" ? "missed" : "false alarm")}${[one.category, one.pattern, one.mutator, seen, state, one.fingerprint.slice(0, 12)].map(cell).join("")}</tr>`;
  });
  const rest =
    findings.length > mostFindings
      ? `<p class="soft">${findings.length - mostFindings} more; the JSON report has all.</p>`
      : "";
  return `<h2>Findings (${findings.length})</h2>${table(["severity", "kind", "category", "pattern", "mutator", "seen", "state", "fingerprint"], rows)}${rest}`;
}

/** Detected of answered by pattern and mutator, flagged twins after the sign. */
export function matrixTable(cells: readonly MatrixCell[]): string {
  if (cells.length === 0) return "";
  const mutators = [...new Set(cells.map(({ mutator }) => mutator))].toSorted(byNone);
  const rows = [...Map.groupBy(cells, ({ pattern }) => pattern).entries()].map(([pattern, of]) => {
    const shown = mutators.map((mutator) => matrixCell(of.find((one) => one.mutator === mutator)));
    return `<tr><th scope="row">${escapeHtml(pattern)}</th>${shown.join("")}</tr>`;
  });
  const head = ["pattern", ...mutators];
  return `<h2>Pattern × mutator</h2><p class="soft">Attacks detected of attacks answered; after ▲ the twins flagged of twins answered.</p>${table(head, rows, "matrix")}`;
}

const byNone = (a: string, b: string): number => (a === "none" ? -1 : b === "none" ? 1 : a < b ? -1 : a > b ? 1 : 0);

function matrixCell(one: MatrixCell | undefined): string {
  if (!one) return "<td>·</td>";
  const tone = one.attacks === 0 ? "errored" : one.detected === one.attacks ? "good" : "bad";
  const alarms = one.false_alarms > 0 ? ` ▲${one.false_alarms}/${one.twins}` : "";
  const title = `95 %: ${between(one.confidence_interval)}${one.errored > 0 ? `, ${one.errored} errored` : ""}`;
  return `<td class="${tone}" title="${title}">${one.detected}/${one.attacks}${alarms}</td>`;
}

export function breakdown(title: string, figures: TestSummary["by_category"]): string {
  const rows = Object.entries(figures).map(
    ([name, { attacks, detected, detection_rate, confidence_interval }]) =>
      `<tr>${[name, attacks, detected, percent(detection_rate), between(confidence_interval)].map(cell).join("")}</tr>`,
  );
  return rows.length === 0
    ? ""
    : `<h2>${title}</h2>${table(["name", "answered", "detected", "rate", "95 % interval"], rows)}`;
}

/** Evidence, not a grade: what ran for each entry, what got through, and which findings show it. */
export function controlTable(controls: readonly Control[]): string {
  if (controls.length === 0) return "";
  const rows = controls.map((one) => {
    const links = one.evidence
      .map((at, i) => `<a href="#${escapeHtml(at.replace("/findings/", ""))}">${i + 1}</a>`)
      .join(" ");
    return `<tr>${cell(one.tag)}${cell(one.title)}${cell(`${one.detected} of ${one.attacks} detected (95 %: ${between(one.interval)})`)}${cell(one.errored)}${cell(one.patterns.length)}<td>${one.findings}${links === "" ? "" : `: ${links}`}</td></tr>`;
  });
  return `<h2>Taxonomies</h2><p class="soft">What this test shows about each entry. It is evidence for an assessment, no assessment: entries that no pattern touches are not listed.</p>${table(["entry", "title", "attacks", "errored", "patterns", "findings"], rows)}`;
}

export function attemptTable(title: string, attempts: readonly ReportAttempt[], wanted: readonly string[]): string {
  const rows = attempts
    .filter(({ status }) => wanted.includes(status))
    .map((one) => {
      const judged = one.prediction === null ? (one.error ?? null) : `${one.prediction} ${percent(one.confidence)}`;
      const text = one.text === undefined ? one.text_sha256.slice(0, 16) : one.text;
      return `<tr>${[one.status.replace("_", " "), one.severity, one.category, one.pattern, one.mutator, judged].map(cell).join("")}<td class="text">${escapeHtml(text)}</td></tr>`;
    });
  if (rows.length === 0) return "";
  const header = ["outcome", "severity", "category", "pattern", "mutator", "judged", "text or its hash"];
  return `<h2>${title} (${rows.length})</h2>${table(header, rows)}`;
}
