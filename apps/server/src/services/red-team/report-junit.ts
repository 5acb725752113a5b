// JUnit XML: a suite per pattern, a case per mutator, and a case of its own for the harmless twins.
import type { Finding, MatrixCell } from "@mlsec/contracts";
import { isActive } from "./compliance.ts";
import type { Report } from "./report-data.ts";

interface Case {
  readonly name: string;
  readonly answered: number;
  readonly wrong: number;
  readonly errored: number;
  readonly what: string;
  readonly findings: readonly Finding[];
}
type Result = "passed" | "failure" | "error" | "skipped";

export function junitReport({ test, cells, findings }: Pick<Report, "test" | "cells" | "findings">): string {
  const suites = [...Map.groupBy(cells, ({ pattern }) => pattern).entries()].map(([pattern, of]) => ({
    pattern,
    cases: of.flatMap((cell) => casesOf(cell, findings)),
  }));
  const all = suites.flatMap(({ cases }) => cases);
  const name = `red team: ${test.model_name} version ${test.model_version}`;
  const body = suites.map(({ pattern, cases }) => suiteOf(pattern, cases, test.created_at)).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escapeXml(name)}" ${countsOf(all)}>\n${body}</testsuites>\n`;
}

function suiteOf(pattern: string, cases: readonly Case[], at: string): string {
  const rows = cases.map((one) => `    ${caseOf(pattern, one)}\n`).join("");
  const timestamp = at.replace(/\.\d+Z$/, "");
  return `  <testsuite name="${escapeXml(pattern)}" ${countsOf(cases)} timestamp="${timestamp}">\n${rows}  </testsuite>\n`;
}

const countsOf = (cases: readonly Case[]): string => {
  const of = (wanted: Result): number => cases.filter((one) => resultOf(one) === wanted).length;
  return `tests="${cases.length}" failures="${of("failure")}" errors="${of("error")}" skipped="${of("skipped")}"`;
};

function casesOf(cell: MatrixCell, findings: readonly Finding[]): Case[] {
  const { pattern, mutator, attacks, detected, twins, false_alarms: alarms, errored } = cell;
  const of = (kind: Finding["kind"]): Finding[] =>
    findings.filter(
      (one) => one.kind === kind && (one.pattern ?? "given") === pattern && (one.mutator ?? "none") === mutator,
    );
  const made: Case[] = [];
  if (attacks > 0 || twins === 0)
    made.push({
      name: mutator,
      answered: attacks,
      wrong: attacks - detected,
      errored,
      what: "attacks missed",
      findings: of("missed"),
    });
  if (twins > 0)
    made.push({
      ...{ name: `${mutator}, twins`, answered: twins, wrong: alarms, errored: 0 },
      ...{ what: "harmless twins flagged", findings: of("false_alarm") },
    });
  return made;
}

/** Without an answer it is an error; wrong only where somebody decided to live with it, it is skipped. */
function resultOf({ answered, wrong, findings }: Case): Result {
  if (answered === 0) return "error";
  if (wrong === 0) return "passed";
  return findings.length > 0 && !findings.some(isActive) ? "skipped" : "failure";
}

function caseOf(pattern: string, one: Case): string {
  const head = `<testcase classname="${escapeXml(pattern)}" name="${escapeXml(one.name)}"`;
  const message = escapeXml(
    `${one.wrong} of ${one.answered} ${one.what}${one.errored > 0 ? `, ${one.errored} errored` : ""}`,
  );
  const result = resultOf(one);
  if (result === "passed") return `${head}/>`;
  if (result === "error")
    return `${head}><error message="${one.errored} without an answer" type="errored"/></testcase>`;
  if (result === "skipped") return `${head}><skipped message="${message}, all decided or suppressed"/></testcase>`;
  const list = one.findings
    .filter(isActive)
    .slice(0, 50)
    .map(({ severity, finding_id, fingerprint }) => `${severity} /findings/${finding_id} ${fingerprint}`)
    .join("\n");
  const severity = one.findings.find(isActive)?.severity ?? "unrated";
  return `${head}><failure message="${message}" type="${severity}">${escapeXml(list)}</failure></testcase>`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Text for XML 1.0: markup escaped, what no XML may hold replaced. */
export const escapeXml = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\ufffe\uffff]/gu, (character) => (/[\t\n\r]/.test(character) ? character : "\ufffd"))
    .replace(/[&<>"']/g, (character) => entities[character] ?? "");
