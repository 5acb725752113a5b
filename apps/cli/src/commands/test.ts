/** `mlsec test`: attack a detector and say how it did. */
import { AppError, AttackLabel, type TestResult, type TestSummary } from "@mlsec/contracts";
import { SingleBar } from "cli-progress";
import { writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { type AddCommand, finish } from "../command.ts";
import { inputTexts } from "../input.ts";
import { addressOf, api } from "../settings.ts";
import { note, oneLine, paint, percent, print, printJson, table } from "../terminal.ts";

interface Options {
  readonly model?: string;
  readonly file?: string;
  readonly expected?: string;
  readonly attacks: string;
  readonly categories?: readonly string[];
  readonly mutators?: readonly string[];
  readonly seed: string;
  readonly report?: string;
  readonly json?: boolean;
}

export const add: AddCommand = (program) => {
  program
    .command("test")
    .summary("attack a detector")
    .description(
      "Attacks a detector with generated attacks beside benign twins, or with texts of your own.\nExit code: 0 PASS (or unlabelled), 1 FAIL, 2 an error. Needs the server.",
    )
    .argument("[text...]", "texts to send instead of generated attacks")
    .option("-m, --model <name>", "detector to attack")
    .option("-f, --file <file>", "texts from a file: JSONL, else one text a line")
    .option("--expected <label>", "what the given texts are: attack, benign or one of the five labels")
    .option("-n, --attacks <n>", "attacks to generate", "100")
    .option("--categories <labels...>", "attack labels to generate (default: all)")
    .option("--mutators <ids...>", "mutators to apply (default: none)")
    .option("--seed <n>", "same seed, same attacks", "7")
    .option("-r, --report <file>", "write the report; the format follows .html, .json or .csv")
    .option("--json", "print the result as JSON")
    .action(run);
};

async function run(texts: string[], options: Options): Promise<void> {
  const started = await start(texts, options);
  const result =
    started.status === "running"
      ? await follow(started)
      : await api.redTeam.result({ params: { id: started.test_id } });
  if (options.report) await saveReport(result.test_id, options.report);
  if (options.json) printJson(result);
  else describe(result);
  finish(result.status !== "completed" ? 2 : result.overall_status === "FAIL" ? 1 : 0);
}

async function start(texts: readonly string[], options: Options): Promise<TestSummary> {
  const model = options.model === undefined ? {} : { model_name: options.model };
  if (texts.length > 0 || options.file !== undefined) {
    const lines = !/\.(jsonl|ndjson)$/.test(options.file ?? "");
    const given = await Array.fromAsync(inputTexts({ texts, file: options.file, lines }));
    const bad = given.find((item) => item.error !== undefined);
    if (bad) throw new AppError("INVALID_INPUT", bad.error ?? "unreadable input");
    const expected = options.expected as "attack" | undefined;
    return api.redTeam.test({
      body: { ...model, test_texts: given.map(({ text }) => (expected ? { text, expected } : text)) },
    });
  }
  const categories = options.categories?.map((label) => AttackLabel.parse(label));
  return api.redTeam.test({
    body: {
      ...model,
      num_attacks: Number(options.attacks),
      seed: Number(options.seed),
      ...(categories ? { attack_categories: categories } : {}),
      ...(options.mutators ? { mutators: [...options.mutators] } : {}),
    },
  });
}

/** Watches a running test; Ctrl-C cancels it. */
async function follow(test: TestSummary): Promise<TestResult> {
  const params = { id: test.test_id };
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

async function saveReport(id: string, file: string): Promise<void> {
  const format = /\.(html|json|csv)$/.exec(file)?.[1];
  if (!format) throw new AppError("INVALID_INPUT", `--report ${file}: the name must end in .html, .json or .csv`);
  const response = await fetch(`${addressOf("red-team")}/reports/${id}.${format}`);
  if (!response.ok) throw new AppError("UPSTREAM", `the report could not be fetched (${response.status})`);
  await writeFile(file, new Uint8Array(await response.arrayBuffer()));
  note(`report written to ${file}`);
}

const styles = { PASS: "green", FAIL: "red", UNLABELLED: "yellow" } as const;

function describe(test: TestResult): void {
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
  const missed = test.results.filter((r) => r.status === "missed" || r.status === "false_alarm").slice(0, 10);
  if (missed.length > 0)
    print(
      `\n${table(
        ["", "label", "text"],
        missed.map((r) => [
          r.status === "missed" ? "missed" : "false alarm",
          r.category ?? "benign",
          oneLine(r.text, 70),
        ]),
      )}`,
    );
}
