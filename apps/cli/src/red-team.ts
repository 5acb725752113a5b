/** What `mlsec test` and `mlsec redteam` have in common: start a test, watch it, save its report, describe it. */
import { AppError, AttackLabel, type TestResult, type TestSummary } from "@mlsec/contracts";
import { SingleBar } from "cli-progress";
import { writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { addressOf, api } from "./settings.ts";
import { note, oneLine, paint, percent, print, table } from "./terminal.ts";

export interface Generated {
  readonly model?: string | undefined;
  readonly attacks: string;
  readonly seed: string;
  readonly categories?: readonly string[] | undefined;
  readonly patterns?: readonly string[] | undefined;
  readonly mutators?: readonly string[] | undefined;
}

/** A generated test, as started. */
export function startGenerated(asked: Generated): Promise<TestSummary> {
  const { model, patterns, mutators } = asked;
  const categories = asked.categories?.map((label) => AttackLabel.parse(label));
  return api.redTeam.test({
    body: {
      ...(model === undefined ? {} : { model_name: model }),
      num_attacks: Number(asked.attacks),
      seed: Number(asked.seed),
      ...(categories ? { attack_categories: categories } : {}),
      ...(patterns ? { patterns: [...patterns] } : {}),
      ...(mutators ? { mutators: [...mutators] } : {}),
    },
  });
}

/** Watches a running test; Ctrl-C cancels it. */
export async function follow(test: TestSummary): Promise<TestResult> {
  const params = { id: test.test_id };
  if (test.status !== "running") return api.redTeam.result({ params });
  const bar = new SingleBar({
    format: "attacking [{bar}] {value}/{total}",
    barsize: 24,
    hideCursor: true,
    stream: process.stderr,
  });
  const cancel = (): void => void api.redTeam.cancel({ params }).catch((error: unknown) => note(String(error)));
  process.on("SIGINT", cancel);
  bar.start(Math.max(1, test.total), test.done);
  try {
    for (let now = test; now.status === "running"; now = await api.redTeam.status({ params })) {
      bar.setTotal(Math.max(1, now.total));
      bar.update(now.done);
      await wait(300);
    }
  } finally {
    bar.stop();
    process.off("SIGINT", cancel);
  }
  return api.redTeam.result({ params });
}

const formats = /\.(html|jsonl?|csv|sarif|junit\.xml|md)$/;

/** The format follows the file's name; INVALID_INPUT for another one, before anything is attacked. */
export function reportFormat(file: string): string {
  const format = formats.exec(file)?.[1];
  if (format) return format;
  const known = ".html, .json, .jsonl, .csv, .sarif, .junit.xml or .md";
  throw new AppError("INVALID_INPUT", `--report ${file}: the name must end in ${known}`);
}

export async function saveReport(id: string, file: string): Promise<void> {
  const response = await fetch(`${addressOf("red-team")}/reports/${id}.${reportFormat(file)}`);
  if (!response.ok) throw new AppError("UPSTREAM", `the report could not be fetched (${response.status})`);
  await writeFile(file, new Uint8Array(await response.arrayBuffer()));
  note(`report written to ${file}`);
}

const styles = { PASS: "green", FAIL: "red", UNLABELLED: "yellow" } as const;

/** Status, rates with intervals, coverage and categories. */
export function describeFigures(test: TestResult): void {
  const status = test.overall_status ? paint(styles[test.overall_status], test.overall_status) : test.status;
  print(`${status}  ${test.model_name} version ${test.model_version}`);
  const interval = test.confidence_interval;
  const between = interval ? ` (95 %: ${percent(interval.low)} to ${percent(interval.high)})` : "";
  if (test.overall_status === "UNLABELLED")
    print(`flagged ${percent(test.detection_rate)} of ${test.results.length} unlabelled texts`);
  else print(`detected ${percent(test.detection_rate)} of ${test.total_attacks} attacks${between}`);
  if (test.total_benign > 0)
    print(`false positives ${percent(test.false_positive_rate)} of ${test.total_benign} benign twins`);
  if (test.errored > 0) print(paint("yellow", `${test.errored} errored and count for neither`));
  if (test.error) note(test.error);
  const categories = Object.entries(test.by_category).map(([name, c]) => [
    name,
    `${c.detected}/${c.attacks}`,
    percent(c.detection_rate),
  ]);
  if (categories.length > 0) print(`\n${table(["category", "detected", "rate"], categories)}`);
}

/** The first wrong answers with their texts. */
export function describeMisses(test: TestResult): void {
  const missed = test.results.filter((r) => r.status === "missed" || r.status === "false_alarm").slice(0, 10);
  if (missed.length === 0) return;
  const rows = missed.map((r) => [
    r.status === "missed" ? "missed" : "false alarm",
    r.category ?? "benign",
    oneLine(r.text, 70),
  ]);
  print(`\n${table(["", "label", "text"], rows)}`);
}
