import type { TestResult } from "@mlsec/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { csvCell, formats } from "./report.ts";
import { escapeHtml } from "./report-html.ts";

const result = (text: string): TestResult => ({
  test_id: "00000000-0000-4000-8000-000000000000",
  status: "completed",
  trigger: "manual",
  overall_status: "FAIL",
  model_name: "distilbert",
  requested_model: "distilbert_trained",
  model_version: "1",
  detection_rate: 0,
  false_positive_rate: null,
  confidence_interval: { low: 0, high: 0.79 },
  total_attacks: 1,
  total_benign: 0,
  vulnerabilities_found: 1,
  false_alarms: 0,
  errored: 0,
  done: 1,
  total: 1,
  risk_score: 100,
  pass_threshold: 0.8,
  threshold: 0.5,
  by_category: {},
  by_mutator: {},
  seed: null,
  created_at: "2026-11-22T00:00:00.000Z",
  finished_at: "2026-11-22T00:00:01.000Z",
  error: null,
  results: [
    {
      text,
      category: "jailbreak",
      pattern: null,
      mutator: null,
      benign: false,
      prediction: "benign",
      confidence: 0.9,
      detected: false,
      severity: "medium",
      status: "missed",
    },
  ],
});

test("the page shows attack text as text", () => {
  const page = formats.html.write(result(`<script>alert(1)</script><img src=x onerror="x">\u202e\0\ud800`));
  expect(page).not.toMatch(/<script|<img/);
  expect(page).toContain("&lt;script&gt;");
  expect(page).toContain("⟨U+202E⟩⟨U+0000⟩");
  expect(page.isWellFormed()).toBe(true);
  expect(page).not.toMatch(/(src|href)=["']?https?:/);
});

test("nothing in a text can open markup", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
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

test("every text survives CSV's quoting", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const cell = csvCell(text);
      const inner = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
      expect(inner.replace(/^'/, "")).toBe(text.replaceAll("\0", "\ufffd").replace(/^'/, ""));
    }),
  );
  expect(formats.csv.write(result('a,"b"\nc')).split("\r\n")[1]).toContain('"a,""b""\nc"');
});
