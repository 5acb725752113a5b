import { readFileSync } from "node:fs";
import type { Finding, MatrixCell } from "@mlsec/contracts";
import { Ajv } from "ajv";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { expect, test } from "vitest";
import { compliance } from "./compliance.ts";
import { csvCell, csvReport } from "./report-csv.ts";
import type { Report } from "./report-data.ts";
import { escapeHtml } from "./report-escape.ts";
import { htmlReport } from "./report-html.ts";
import { escapeXml, junitReport } from "./report-junit.ts";
import { escapeMarkdown, markdownReport } from "./report-markdown.ts";
import { ruleId, sarifReport } from "./report-sarif.ts";

const schema = JSON.parse(readFileSync(`${import.meta.dirname}/fixtures/sarif-2.1.0.json`, "utf8")) as object;
const formats = {
  uri: (value: string) => URL.canParse(value),
  "uri-reference": (value: string) => URL.canParse(value, "http://localhost/"),
  "date-time": (value: string) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value),
};
const isSarif = new Ajv({ strict: false, unicodeRegExp: false, formats }).compile(schema);
const at = "2026-11-22T00:00:01.000Z";

const finding = (rest: Partial<Finding> = {}): Finding => ({
  finding_id: "f1",
  fingerprint: "0123456789abcdef0123456789abcdef",
  kind: "missed",
  model_name: "distilbert",
  category: "jailbreak",
  pattern: "direct-override",
  mutator: "base64",
  severity: "high",
  severity_parts: { impact: 8, exposure: 0.5, weight: 4 },
  state: "open",
  note: null,
  triaged_by: null,
  triaged_at: null,
  suppression: null,
  occurrences: 2,
  versions: ["1"],
  first_seen: at,
  last_seen: at,
  last_test_id: "t",
  fixed_version: null,
  last_replay: null,
  ...rest,
});
const cell = (rest: Partial<MatrixCell> = {}): MatrixCell => ({
  pattern: "direct-override",
  mutator: "base64",
  attacks: 3,
  detected: 1,
  twins: 3,
  false_alarms: 1,
  errored: 1,
  confidence_interval: { low: 0.06, high: 0.79 },
  ...rest,
});

function report(rest: Partial<Report> = {}, text?: string): Report {
  const findings = rest.findings ?? [finding(), finding({ finding_id: "f2", kind: "false_alarm", severity: "low" })];
  const cells = rest.cells ?? [cell(), cell({ mutator: "none", detected: 3, false_alarms: 0, errored: 0 })];
  const tags = rest.tags ?? new Map([["direct-override", ["owasp:llm01", "atlas:aml.t0054"]]]);
  return {
    test: {
      test_id: "00000000-0000-4000-8000-000000000000",
      status: "completed",
      trigger: "generated",
      overall_status: "FAIL",
      model_name: "distilbert",
      requested_model: "distilbert_trained",
      model_version: "1",
      detection_rate: 2 / 3,
      false_positive_rate: 1 / 6,
      confidence_interval: { low: 0.3, high: 0.9 },
      total_attacks: 7,
      total_benign: 6,
      vulnerabilities_found: 2,
      false_alarms: 1,
      errored: 1,
      done: 13,
      total: 13,
      risk_score: 40,
      pass_threshold: 0.8,
      threshold: 0.5,
      by_category: {},
      by_mutator: {},
      seed: 7,
      created_at: "2026-11-22T00:00:00.000Z",
      finished_at: at,
      error: null,
    },
    cells,
    findings,
    tags,
    controls: compliance(cells, findings, tags),
    attempts: [
      {
        category: "jailbreak",
        pattern: "direct-override",
        mutator: "base64",
        benign: false,
        prediction: "benign",
        confidence: 0.9,
        detected: false,
        severity: "high",
        status: "missed",
        text_sha256: "ab".repeat(32),
        ...(text === undefined ? {} : { text }),
      },
    ],
    ...rest,
  };
}
/** Anything that a name, a note or a reason may hold, wherever a report shows it. */
const hostile = (text: string): Report =>
  report(
    {
      findings: [
        finding({ pattern: text, mutator: text, category: text, versions: [text] }),
        finding({ state: "accepted_risk", note: text }),
        finding({ suppression: { reason: text, until: at, by: text } }),
      ],
      cells: [
        cell({ pattern: text, mutator: text }),
        cell({ pattern: text, mutator: "none", attacks: 0, detected: 0 }),
      ],
    },
    text,
  );
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("<", ">", "&", '"', "'", "]]>", "|", "\n", "\r", ",", "=", "\0", "\ud800", "a") }),
);

test("the page shows attack text as text, and reaches nothing outside", () => {
  const page = htmlReport(hostile(`<script>alert(1)</script><img src=x onerror="x">\u202e\0\ud800`));
  expect(page).not.toMatch(/<script|<img/);
  expect(page).toContain("&lt;script&gt;");
  expect(page).toContain("⟨U+202E⟩⟨U+0000⟩");
  expect(page.isWellFormed()).toBe(true);
  expect(page).not.toMatch(/(src|href)=["']?https?:/);
});

test("the page says first what a manager needs: missed, flagged, coverage, threshold", () => {
  const page = htmlReport(report());
  const first = page.slice(0, page.indexOf('class="page"'));
  for (const part of [
    "It missed 2 of 7 attacks and flagged 1 of 6",
    "30.0 % to 90.0 %",
    "12 of 13",
    "0.5000",
    "seed 7",
  ])
    expect(first).toContain(part);
  expect(page).toContain("1/3 ▲1/3");
});

test("nothing in a text can open markup", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(escapeHtml(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
    }),
  );
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|cmd", "\u200b=1", "＝1"])(
  "a cell like %j is no formula",
  (text) => {
    expect(csvCell(text)).toMatch(/^"'/);
  },
);

test("every text comes back from CSV, and no row begins another", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const rows = parse<Record<string, string>>(csvReport(report({}, text)), { columns: true });
      expect(rows).toHaveLength(1);
      const plain = text.toWellFormed().replaceAll("\0", "\ufffd");
      expect([plain, `'${plain}`]).toContain(rows[0]?.["text"]);
    }),
  );
});

test("texts are in no format unless they were asked for", () => {
  const secret = "QUARTZ-9 opens the vault";
  for (const write of [htmlReport, csvReport, sarifReport, junitReport, markdownReport])
    expect(write(report())).not.toContain(secret);
  expect(csvReport(report({}, secret))).toContain(secret);
  expect(htmlReport(report({}, secret))).toContain(secret);
});

interface Sarif {
  readonly runs: readonly [
    {
      readonly results: readonly Record<string, unknown>[];
      readonly tool: { readonly driver: { readonly rules: readonly { id: string; relationships: unknown[] }[] } };
    },
  ];
}

test("SARIF fits its schema, with rules, fingerprints, taxa and suppressions", () => {
  const accepted = finding({ finding_id: "f3", state: "accepted_risk", note: "a filter stands before it" });
  const log = JSON.parse(
    sarifReport(report({ findings: [finding(), accepted, finding({ first_seen: "2026-01-01T00:00:00.000Z" })] })),
  ) as Sarif;
  expect(isSarif(log), JSON.stringify(isSarif.errors)).toBe(true);
  const [{ results, tool }] = log.runs;
  expect(tool.driver.rules.map(({ id }) => id)).toEqual(["direct-override/base64"]);
  expect(tool.driver.rules[0]?.relationships).toHaveLength(2);
  expect(results.map(({ baselineState }) => baselineState)).toEqual(["new", "new", "unchanged"]);
  expect(results.map(({ suppressions }) => (suppressions as unknown[]).length)).toEqual([0, 1, 0]);
  expect(results[0]?.["partialFingerprints"]).toEqual({ "mlsecFinding/v1": finding().fingerprint });
  expect(isSarif({ ...log, version: "2.0.0" })).toBe(false);
});

test("whatever a finding holds, the SARIF is valid and the JUnit well-formed with the same words in it", () => {
  const parser = new XMLParser({ ignoreAttributes: false, processEntities: true, trimValues: false });
  fc.assert(
    fc.property(anyText, (text) => {
      const log = JSON.parse(sarifReport(hostile(text))) as Sarif;
      expect(isSarif(log)).toBe(true);
      const xml = junitReport(hostile(text));
      expect(XMLValidator.validate(xml)).toBe(true);
      const { testsuites } = parser.parse(xml) as { testsuites: { testsuite: unknown } };
      expect([testsuites.testsuite].flat()).toHaveLength(1);
      expect(escapeXml(text)).not.toMatch(/[<>"']/);
    }),
    { numRuns: 60 },
  );
});

test("JUnit: a cell with misses fails, an unanswered one is an error, a decided one is skipped", () => {
  const xml = junitReport(report());
  expect(xml).toContain('tests="4" failures="2" errors="0" skipped="0"');
  expect(xml).toContain('<failure message="2 of 3 attacks missed, 1 errored" type="high">');
  const unanswered = junitReport(report({ cells: [cell({ attacks: 0, detected: 0, twins: 0, errored: 3 })] }));
  expect(unanswered).toContain('errors="1"');
  const decided = report({ findings: [finding({ state: "false_positive", note: "x" })], cells: [cell({ twins: 0 })] });
  expect(junitReport(decided)).toContain('failures="0" errors="0" skipped="1"');
});

test("Markdown: figures with intervals; no name breaks out of its cell", () => {
  expect(markdownReport(report())).toContain("| Attacks detected | 66.7 % | 30.0 % to 90.0 % | 7 attacks |");
  fc.assert(
    fc.property(anyText, (text) => {
      expect(escapeMarkdown(text)).not.toMatch(/[|<>`\n\r[\]@]/);
      const rows = markdownReport(hostile(text))
        .split("\n")
        .filter((line) => line.startsWith("| high"));
      expect(rows).toHaveLength(1);
    }),
  );
});

test("compliance shows counts and findings for the entries that patterns touch, never for others", () => {
  const controls = compliance([cell()], [finding(), finding({ finding_id: "f9", state: "fixed" })], report().tags);
  expect(controls.map(({ tag }) => tag)).toEqual(["atlas:aml.t0054", "owasp:llm01"]);
  expect(controls[0]).toMatchObject({ attacks: 3, detected: 1, errored: 1, findings: 1, evidence: ["/findings/f1"] });
  expect(controls[0]?.interval?.low).toBeGreaterThan(0);
});

test("a rule is a pattern and its mutators", () => {
  expect(ruleId({ pattern: null, mutator: null })).toBe("given/none");
});
