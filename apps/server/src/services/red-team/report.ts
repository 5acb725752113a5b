// A test as a file, in every format. Texts of attacks stay out unless they were asked for and may be handed out.
import { createHash } from "node:crypto";
import { loadPatterns } from "@mlsec/attacks";
import { AppError, type MatrixCell } from "@mlsec/contracts";
import { compliance } from "./compliance.ts";
import { findingOf, type FindingStore } from "./finding-store.ts";
import { csvReport } from "./report-csv.ts";
import type { Report } from "./report-data.ts";
import { htmlReport } from "./report-html.ts";
import { junitReport } from "./report-junit.ts";
import { markdownReport } from "./report-markdown.ts";
import { sarifReport } from "./report-sarif.ts";
import { type Store, summaryOf, type TestRow } from "./store.ts";

const mostFindings = 100_000;
const lines = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("");

const formats: Readonly<Record<string, { readonly type: string; readonly write: (report: Report) => string }>> = {
  html: { type: "text/html; charset=utf-8", write: htmlReport },
  json: {
    type: "application/json",
    write: ({ test, attempts, findings, cells, controls }) =>
      `${JSON.stringify({ ...test, findings, matrix: cells, compliance: controls, results: attempts }, null, 2)}\n`,
  },
  jsonl: {
    type: "application/jsonl; charset=utf-8",
    write: ({ test, findings, attempts }) =>
      lines([
        { kind: "test", ...test },
        ...findings.map((finding) => ({ ...finding, kind: "finding", finding_kind: finding.kind })),
        ...attempts.map((attempt) => ({ kind: "attempt", ...attempt })),
      ]),
  },
  csv: { type: "text/csv; charset=utf-8", write: csvReport },
  sarif: { type: "application/sarif+json", write: sarifReport },
  "junit.xml": { type: "application/xml; charset=utf-8", write: junitReport },
  md: { type: "text/markdown; charset=utf-8", write: markdownReport },
};

interface Asked {
  readonly store: Store;
  readonly findings: FindingStore;
  readonly test: TestRow;
  readonly cells: readonly MatrixCell[];
  readonly withText: boolean;
}

/** CONFLICT while the test runs: a report is of what happened. */
export async function reportOf(asked: Asked, format: string): Promise<Response> {
  const written = formats[format];
  if (!written) throw new AppError("NOT_FOUND", `no report format "${format}"`);
  if (asked.test.status === "running") throw new AppError("CONFLICT", `test ${asked.test.id} has not ended`);
  const report = await gather(asked);
  const place = format === "html" ? "inline" : "attachment";
  return new Response(written.write(report), {
    headers: {
      "content-type": written.type,
      "content-disposition": `${place}; filename="mlsec-test-${report.test.test_id}.${format}"`,
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
    },
  });
}

async function gather({ store, findings, test, cells, withText }: Asked): Promise<Report> {
  const { rows } = await findings.list({
    model: test.model_name,
    testId: test.id,
    suppressed: "all",
    limit: mostFindings,
  });
  const shown = rows.map(findingOf);
  const patterns = await loadPatterns();
  const tags = new Map(cells.map(({ pattern }) => [pattern, patterns.get(pattern)?.tags ?? []]));
  return {
    test: summaryOf(test, await store.figures(test)),
    cells,
    findings: shown,
    attempts: (await store.attempts(test.id)).map(({ text, ...attempt }) => ({
      ...attempt,
      text_sha256: createHash("sha256").update(text).digest("hex"),
      ...(withText ? { text } : {}),
    })),
    controls: compliance(cells, shown, tags),
    tags,
  };
}
