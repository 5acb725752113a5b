/** `mlsec redteam`: a campaign with an exit code for CI, and its findings. */
import { AppError, type Finding, Severity, type TestResult } from "@mlsec/contracts";
import { type AddCommand, finish } from "../command.ts";
import { describeFigures, follow, reportFormat, saveReport, startGenerated } from "../red-team.ts";
import { api, defaultModel } from "../settings.ts";
import { note, paint, percent, print, printJson, table } from "../terminal.ts";

interface Options {
  readonly target: string;
  readonly attacks: string;
  readonly categories?: readonly string[];
  readonly patterns?: readonly string[];
  readonly mutators?: readonly string[];
  readonly seed: string;
  readonly failOn: string;
  readonly report?: readonly string[];
  readonly json?: boolean;
}
/** More errors than this and nothing can be said about the target. */
const mostErrored = 0.05;
const severities: readonly Severity[] = ["low", "medium", "high", "critical"];
const mostShown = 15;

export const add: AddCommand = (program) => {
  const command = program
    .command("redteam")
    // Otherwise --json after a subcommand would belong to this one.
    .enablePositionalOptions()
    .summary("attack a target for CI; list and replay findings")
    .description(
      "Attacks a detector with generated attacks beside benign twins and keeps what went wrong as findings.\nExit code: 0 no standing finding at or above --fail-on, 1 at least one, 2 an error or too many texts without an answer. Needs the server.",
    )
    .option("-t, --target <name>", "detector to attack", defaultModel)
    .option("-n, --attacks <n>", "attacks to generate", "100")
    .option("--categories <labels...>", "attack labels to generate (default: all)")
    .option("--patterns <ids...>", "patterns to draw from (default: all)")
    .option("--mutators <ids...>", "mutators to apply; a+b is a stack (default: none)")
    .option("--seed <n>", "same seed, same attacks", "7")
    .option("--fail-on <severity>", "low, medium, high, critical, any or never", "high")
    .option(
      "-r, --report <files...>",
      "write reports; the format follows the ending: html, json, jsonl, csv, sarif, junit.xml, md",
    )
    .option("--json", "print the result and its findings as JSON")
    .action(run);
  command
    .command("findings")
    .summary("list findings, severest first")
    .option("-t, --target <name>", "of one detector")
    .option("--state <state>", "open, confirmed, false_positive, accepted_risk or fixed")
    .option("--limit <n>", "rows at most", "30")
    .option("--json", "print them as JSON")
    .action(list);
  command
    .command("replay")
    .summary("send a finding's text again; exit code 1 while it stands")
    .argument("<id>", "the finding's id")
    .option("--json", "print the answer as JSON")
    .action(replay);
  for (const inner of command.commands) inner.exitOverride();
};

async function run(options: Options): Promise<void> {
  const failOn = readFailOn(options.failOn);
  for (const file of options.report ?? []) reportFormat(file);
  const result = await follow(await startGenerated({ ...options, model: options.target }));
  for (const file of options.report ?? []) await saveReport(result.test_id, file);
  const { findings, total } = await standing(result);
  if (options.json) printJson({ ...result, findings });
  else describe(result, findings, total);
  finish(exitCode(result, findings, failOn));
}

type FailOn = Severity | "never";

function readFailOn(value: string): FailOn {
  if (value === "never") return value;
  const severity = Severity.safeParse(value === "any" ? "low" : value);
  if (severity.success) return severity.data;
  throw new AppError("INVALID_INPUT", `--fail-on ${value}: expected ${severities.join(", ")}, any or never`);
}

/** What this test showed and nobody decided to live with, severest first; decided ones never break a build. */
async function standing({ test_id, status }: TestResult): Promise<{ findings: Finding[]; total: number }> {
  if (status !== "completed") return { findings: [], total: 0 };
  const [open, confirmed] = await Promise.all(
    (["open", "confirmed"] as const).map((state) => api.redTeam.findings({ query: { test_id, state, limit: 500 } })),
  );
  const findings = [...(open?.findings ?? []), ...(confirmed?.findings ?? [])];
  return {
    findings: findings.toSorted((a, b) => b.severity_parts.weight - a.severity_parts.weight),
    total: (open?.total ?? 0) + (confirmed?.total ?? 0),
  };
}

export function exitCode(
  test: Pick<TestResult, "status" | "errored" | "total">,
  findings: readonly Pick<Finding, "severity">[],
  failOn: FailOn,
): 0 | 1 | 2 {
  if (test.status !== "completed" || test.errored > mostErrored * test.total) return 2;
  if (failOn === "never") return 0;
  const least = severities.indexOf(failOn);
  return findings.some(({ severity }) => severities.indexOf(severity) >= least) ? 1 : 0;
}

function describe(test: TestResult, findings: readonly Finding[], total: number): void {
  describeFigures(test);
  if (test.errored > mostErrored * test.total)
    note(paint("red", `${test.errored} of ${test.total} texts got no answer: nothing can be said about this target`));
  if (test.status !== "completed") return;
  print(`\n${total} findings stand; the test is ${test.test_id}`);
  if (findings.length > 0) print(findingTable(findings.slice(0, mostShown)));
}

const findingTable = (findings: readonly Finding[]): string =>
  table(
    ["severity", "kind", "category", "pattern", "mutator", "state", "id"],
    findings.map((one) => [
      ...[one.severity, one.kind === "missed" ? "missed" : "false alarm", one.category],
      ...[one.pattern ?? "given text", one.mutator ?? "none", one.suppression ? "suppressed" : one.state],
      one.finding_id,
    ]),
  );

interface ListOptions {
  readonly target?: string;
  readonly state?: string;
  readonly limit: string;
  readonly json?: boolean;
}

async function list({ target, state, limit, json }: ListOptions): Promise<void> {
  const query = {
    limit: Number(limit),
    ...(target === undefined ? {} : { model_name: target }),
    ...(state === undefined ? {} : { state: state as Finding["state"] }),
  };
  const answer = await api.redTeam.findings({ query });
  if (json) return printJson(answer);
  if (answer.findings.length === 0) return print("no findings");
  print(findingTable(answer.findings));
  if (answer.total > answer.findings.length) print(`… of ${answer.total}`);
}

async function replay(id: string, { json }: { readonly json?: boolean }): Promise<void> {
  const answer = await api.redTeam.replay({ params: { id } });
  const { stands, replay: seen, finding } = answer;
  if (json) printJson(answer);
  else {
    print(
      `${stands ? paint("red", "it stands") : paint("green", "answered rightly")}  ${finding.model_name} version ${seen.model_version}`,
    );
    print(`judged ${seen.prediction} (${percent(seen.confidence)}), finding ${finding.state}`);
  }
  finish(stands ? 1 : 0);
}
