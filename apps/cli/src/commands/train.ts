/** `mlsec train`: start a job and watch it; Ctrl-C cancels it. */
import { Job } from "@mlsec/contracts";
import { SingleBar } from "cli-progress";
import type { Command } from "commander";
import { type AddCommand, finish } from "../command.ts";
import { api } from "../settings.ts";
import { note, paint, percent, print, printJson, table } from "../terminal.ts";

interface Options {
  readonly model: string;
  readonly data: string;
  readonly set?: readonly string[];
  readonly epochs?: string;
  readonly learningRate?: string;
  readonly batchSize?: string;
  readonly promote: "if_better" | "never" | "force";
  readonly detach?: boolean;
  readonly json?: boolean;
}
const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

export const add: AddCommand = (program) => {
  const train = program
    .command("train")
    .summary("train a detector")
    .description("Starts a training job and shows its progress. Ctrl-C cancels the job; --detach leaves it running.")
    .option("-m, --model <name>", "distilbert or linear", "distilbert")
    .option(
      "-d, --data <uri>",
      "s3://bucket/key, dataset:<id> or latest",
      "s3://ml-security/training_data/security_data.jsonl",
    )
    .option("--epochs <n>", "passes over the data")
    .option("--learning-rate <rate>", "peak learning rate")
    .option("--batch-size <n>", "rows a step")
    .option("--set <key=value>", "any other setting, as in POST /train; may be repeated", collect)
    .option("--promote <when>", "if_better, never or force", "if_better")
    .option("--detach", "print the job id and leave")
    .option("--json", "print the job as JSON when it ends")
    .action(start);
  train.command("list").description("Newest jobs.").option("--json", "print JSON").action(list);
  train
    .command("watch")
    .description("Follow a job; Ctrl-C only stops watching.")
    .argument("<job>")
    .action((id: string) => follow(id, { cancelOnInterrupt: false }));
  train
    .command("cancel")
    .description("Cancel a job.")
    .argument("<job>")
    .action(async (id: string) => print(`${id} ${(await api.training.cancelJob({ params: { id } })).status}`));
};

async function start(options: Options): Promise<void> {
  const config: Record<string, unknown> = Object.fromEntries((options.set ?? []).map(setting));
  if (options.epochs !== undefined) config["epochs"] = Number(options.epochs);
  if (options.learningRate !== undefined) config["learning_rate"] = Number(options.learningRate);
  if (options.batchSize !== undefined) config["batch_size"] = Number(options.batchSize);
  const job = await api.training.train({
    body: { model_name: options.model, training_data_path: options.data, config, promote: options.promote },
  });
  if (options.detach) return options.json ? printJson(job) : print(job.job_id);
  note(`job ${job.job_id}: ${job.model_name} on ${options.data}`);
  await follow(job.job_id, { cancelOnInterrupt: true, json: options.json ?? false });
}

/** `lr=3e-5` → ["lr", 3e-5]; numbers, true and false are taken as such. */
export function setting(pair: string): [string, unknown] {
  const at = pair.indexOf("=");
  const [key, value] = at < 0 ? [pair, "true"] : [pair.slice(0, at), pair.slice(at + 1)];
  if (value === "true" || value === "false") return [key, value === "true"];
  return [key, value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value];
}

async function follow(
  id: string,
  { cancelOnInterrupt, json = false }: { cancelOnInterrupt: boolean; json?: boolean },
): Promise<void> {
  const stop = new AbortController();
  let interrupted = false;
  const onInterrupt = (): void => {
    if (interrupted) process.exit(130);
    interrupted = true;
    if (!cancelOnInterrupt) return stop.abort();
    note("\ncancelling …");
    api.training.cancelJob({ params: { id } }).catch((error: unknown) => note(String(error)));
  };
  process.on("SIGINT", onInterrupt);
  try {
    const job = await watch(id, stop.signal);
    if (json) printJson(job);
    else describe(job);
    finish(interrupted ? 130 : job.status === "completed" ? 0 : 2);
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

/** Draws the job until it ends. When the stream breaks (a restart), it looks again. */
async function watch(id: string, signal: AbortSignal): Promise<Job> {
  const bar = new SingleBar({
    format: "{phase} [{bar}] {percentage}%  epoch {epoch}/{epochs}  loss {loss}  F1 {f1}  {speed}  {eta_text}",
    barsize: 24,
    hideCursor: true,
    noTTYOutput: false,
    stream: process.stderr,
  });
  bar.start(100, 0, fields());
  try {
    for (;;) {
      const stream = await api.training.jobEvents({ params: { id }, signal });
      for await (const event of stream) {
        if (event.event !== "job") continue;
        const job = Job.parse(event.data);
        bar.update(Math.floor(job.progress), fields(job));
        if (job.status !== "queued" && job.status !== "running") return job;
      }
      const job = await api.training.getJob({ params: { id } });
      if (signal.aborted || (job.status !== "queued" && job.status !== "running")) return job;
    }
  } catch (error) {
    if (signal.aborted) return await api.training.getJob({ params: { id } });
    throw error;
  } finally {
    bar.stop();
  }
}

const fields = (job?: Job): Record<string, string | number> => ({
  phase: (job?.status === "running" ? job.phase : (job?.status ?? "queued")).padEnd(10),
  epoch: (job?.current_epoch ?? 0).toFixed(1),
  epochs: job?.total_epochs ?? "–",
  loss: job?.current_loss?.toFixed(3) ?? "–",
  f1: percent(job?.best_metric),
  speed: job?.rows_per_second ? `${Math.round(job.rows_per_second)} rows/s` : "",
  eta_text:
    job?.estimated_completion && job.status === "running"
      ? `ends ${new Date(job.estimated_completion).toLocaleTimeString("en-GB")}`
      : "",
});

function describe(job: Job): void {
  if (job.error) return note(`${paint("red", job.status)}: ${job.error.detail}`);
  if (!job.result) return note(job.status);
  const { candidate, champion, decision, reason, suite } = job.result.promotion;
  print(
    `${paint("green", "completed")}: security_${job.model_name}/${job.result.model_version}, ${decision.replaceAll("_", " ")}`,
  );
  print(reason);
  const row = (name: string, of: (f: typeof candidate) => string): string[] => [
    name,
    of(candidate),
    champion ? of(champion) : "–",
  ];
  print(
    table(
      [
        `${suite.name} (${suite.rows} rows)`,
        `version ${candidate.version}`,
        champion ? `champion ${champion.version}` : "no champion",
      ],
      [
        row("recall", (f) => percent(f.recall)),
        row("false positives", (f) => percent(f.false_positive_rate)),
        row("macro F1", (f) => percent(f.macro_f1)),
        row("accuracy", (f) => percent(f.accuracy)),
      ],
    ),
  );
}

async function list(_: unknown, command: Command): Promise<void> {
  const { jobs } = await api.training.listJobs({ query: { limit: 20 } });
  if (command.optsWithGlobals<{ json?: boolean }>().json) return printJson(jobs);
  if (jobs.length === 0) return print("no jobs so far; start one with: mlsec train");
  print(
    table(
      ["job", "model", "status", "progress", "version", "promotion"],
      jobs.map((j) => [
        j.job_id,
        j.model_name,
        j.status,
        `${Math.round(j.progress)} %`,
        j.result?.model_version ?? "–",
        j.result?.promotion.decision ?? j.error?.detail.slice(0, 60) ?? "–",
      ]),
    ),
  );
}
