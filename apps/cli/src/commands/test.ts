/** `mlsec test`: attack a detector and say how it did. */
import { AppError, type TestSummary } from "@mlsec/contracts";
import { type AddCommand, finish } from "../command.ts";
import { inputTexts } from "../input.ts";
import { describeFigures, describeMisses, follow, reportFormat, saveReport, startGenerated } from "../red-team.ts";
import { api } from "../settings.ts";
import { printJson } from "../terminal.ts";

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
    .option(
      "-r, --report <file>",
      "write the report; the format follows its ending: html, json, jsonl, csv, sarif, junit.xml, md",
    )
    .option("--json", "print the result as JSON")
    .action(run);
};

async function run(texts: string[], options: Options): Promise<void> {
  if (options.report) reportFormat(options.report);
  const result = await follow(await start(texts, options));
  if (options.report) await saveReport(result.test_id, options.report);
  if (options.json) printJson(result);
  else {
    describeFigures(result);
    describeMisses(result);
  }
  finish(result.status !== "completed" ? 2 : result.overall_status === "FAIL" ? 1 : 0);
}

async function start(texts: readonly string[], options: Options): Promise<TestSummary> {
  if (texts.length === 0 && options.file === undefined) return startGenerated(options);
  const lines = !/\.(jsonl|ndjson)$/.test(options.file ?? "");
  const given = await Array.fromAsync(inputTexts({ texts, file: options.file, lines }));
  const bad = given.find((item) => item.error !== undefined);
  if (bad) throw new AppError("INVALID_INPUT", bad.error ?? "unreadable input");
  const expected = options.expected as "attack" | undefined;
  const model = options.model === undefined ? {} : { model_name: options.model };
  return api.redTeam.test({
    body: { ...model, test_texts: given.map(({ text }) => (expected ? { text, expected } : text)) },
  });
}
