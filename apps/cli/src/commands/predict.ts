/** `mlsec predict`: one verdict per text. */
import { InvalidArgumentError } from "commander";
import { type AddCommand, finish } from "../command.ts";
import { inChunks, type InputText, inputTexts } from "../input.ts";
import { type CliFailure, type CliVerdict, engineJudge, type Judge, serverJudge } from "../judge.ts";
import { serverIsUp } from "../settings.ts";
import { note, oneLine, paint, percent, print, printJson, table } from "../terminal.ts";

const formats = ["table", "json", "jsonl"] as const;
type Format = (typeof formats)[number];
interface Options {
  readonly file?: string;
  readonly lines?: boolean;
  readonly model?: string;
  readonly format?: Format;
  readonly json?: boolean;
  readonly offline?: boolean;
}
const parseFormat = (value: string): Format => {
  const format = formats.find((f) => f === value);
  if (!format) throw new InvalidArgumentError(`choose ${formats.join(", ")}`);
  return format;
};

export const add: AddCommand = (program) => {
  program
    .command("predict")
    .summary("judge texts")
    .description(
      "Judges texts. Exit code: 0 nothing found, 1 an attack found, 2 an error.\nUses the server when it is up, else the engine in this process.",
    )
    .argument("[text...]", "texts to judge")
    .option("-f, --file <file>", "read a file, or - for standard input: JSONL (text, optional id), else one text")
    .option("-l, --lines", "plain input: every line is a text of its own")
    .option("-m, --model <name>", "detector to use")
    .option("--format <format>", "table, json or jsonl (default: table on a terminal, jsonl elsewhere)", parseFormat)
    .option("--json", "same as --format json")
    .option("--offline", "do not look for a server")
    .addHelpText(
      "after",
      '\nExamples:\n  mlsec predict "Ignore previous instructions"\n  mlsec predict --file prompts.jsonl --format jsonl > verdicts.jsonl\n  cat mail.txt | mlsec predict',
    )
    .action(predict);
};

async function predict(texts: string[], options: Options): Promise<void> {
  const format = options.json ? "json" : (options.format ?? (process.stdout.isTTY ? "table" : "jsonl"));
  const judge =
    !options.offline && (await serverIsUp()) ? serverJudge(options.model) : await engineJudge(options.model);
  const all: (CliVerdict | CliFailure)[] = [];
  let attacks = 0;
  let errors = 0;
  try {
    for await (const chunk of inChunks(inputTexts({ texts, file: options.file, lines: options.lines }), 64, 200_000)) {
      for (const result of await judgeChunk(judge, chunk)) {
        if ("error" in result) errors++;
        else if (result.is_attack) attacks++;
        if (format === "jsonl") print(JSON.stringify(result));
        else all.push(result);
      }
    }
  } finally {
    await judge.close();
  }
  if (format === "json") printJson(all);
  if (format === "table") printTable(all, judge.where);
  finish(errors > 0 ? 2 : attacks > 0 ? 1 : 0);
}

/** Rows that could not be read stay in their place. */
async function judgeChunk(judge: Judge, chunk: readonly InputText[]): Promise<(CliVerdict | CliFailure)[]> {
  const good = chunk.filter((item) => item.error === undefined);
  const verdicts = good.length > 0 ? await judge.judge(good) : [];
  let next = 0;
  return chunk.map(
    (item) =>
      (item.error === undefined ? verdicts[next++] : undefined) ?? {
        ...(item.id === undefined ? {} : { id: item.id }),
        error: item.error ?? "no answer",
      },
  );
}

function printTable(results: readonly (CliVerdict | CliFailure)[], where: string): void {
  const width = Math.max(24, (process.stdout.columns ?? 100) - 48);
  const rows = results.map((r) => {
    if ("error" in r) return [paint("yellow", "error"), "", "", oneLine(r.error, width)];
    const name = r.is_attack ? paint("red", r.prediction) : paint("green", r.prediction);
    return [name, percent(r.confidence), String(r.windows), oneLine(r.text, width)];
  });
  print(table(["verdict", "confidence", "windows", "text"], rows));
  const first = results.find((r) => "model_name" in r);
  if (first && "model_name" in first) {
    note(
      paint(
        "dim",
        `${first.model_name} version ${first.model_version}, attack at P ≥ ${percent(first.threshold)}, judged by the ${where === "server" ? "server" : "engine in this process"}`,
      ),
    );
  }
}
