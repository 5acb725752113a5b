/** `mlsec data`: data sets to train on. */
import type { QualityReport } from "@mlsec/contracts";
import type { Command } from "commander";
import { openAsBlob } from "node:fs";
import path from "node:path";
import { type AddCommand, finish } from "../command.ts";
import { api } from "../settings.ts";
import { oneLine, paint, print, printJson, table } from "../terminal.ts";

const json = (command: Command): boolean => command.optsWithGlobals<{ json?: boolean }>().json ?? false;

export const add: AddCommand = (program) => {
  const data = program
    .command("data")
    .summary("upload and inspect data sets")
    .description("Data sets to train on. Needs the server.")
    .option("--json", "print JSON")
    .action(list);
  data
    .command("upload")
    .description("Upload a JSONL or CSV file and check it. Exit code 1 when it cannot be trained on.")
    .argument("<file>")
    .option("--name <name>", "what to call it")
    .option("--json", "print JSON")
    .action(upload);
  data
    .command("show")
    .description("One data set with its quality report.")
    .argument("<id>")
    .option("--json", "print JSON")
    .action(show);
  data
    .command("preview")
    .description("First rows of a data set.")
    .argument("<id>")
    .option("--limit <n>", "rows", "10")
    .option("--json", "print JSON")
    .action(preview);
  data
    .command("delete")
    .description("Archive a data set; what was trained on it keeps its lineage.")
    .argument("<id>")
    .action(async (id: string) => print(`${id} ${(await api.training.deleteData({ params: { id } })).state}`));
};

async function list(_: unknown, command: Command): Promise<void> {
  const { data } = await api.training.listData({ query: { limit: 100 } });
  if (json(command)) return printJson(data);
  if (data.length === 0)
    return print("no data sets uploaded; the sample is s3://ml-security/training_data/security_data.jsonl");
  print(
    table(
      ["id", "name", "state", "rows", "groups", "quality"],
      data.map((d) => [
        d.file_id,
        d.name,
        d.state,
        String(d.rows),
        String(d.quality.groups),
        d.quality.passed ? "passed" : "failed",
      ]),
    ),
  );
}

async function upload(file: string, options: { name?: string }, command: Command): Promise<void> {
  const type = file.endsWith(".csv") ? "text/csv" : "application/x-ndjson";
  const body = await openAsBlob(file, { type });
  const set = await api.training.uploadData({
    query: { name: options.name ?? path.basename(file) },
    body,
    headers: { "content-type": type },
  });
  if (json(command)) printJson(set);
  else {
    print(
      `${set.file_id}  ${set.name}: ${set.rows} rows${set.duplicate_of ? `, same content as ${set.duplicate_of}` : ""}`,
    );
    describe(set.quality);
    if (set.quality.passed) print(`train on it: mlsec train --data dataset:${set.file_id}`);
  }
  finish(set.quality.passed ? 0 : 1);
}

async function show(id: string, _: unknown, command: Command): Promise<void> {
  const set = await api.training.getData({ params: { id } });
  if (json(command)) return printJson(set);
  print(`${set.file_id}  ${set.name}: ${set.state}, ${set.rows} rows, sha256 ${set.sha256}`);
  describe(set.quality);
}

async function preview(id: string, { limit }: { limit: string }, command: Command): Promise<void> {
  const { rows } = await api.training.previewData({ params: { id }, query: { limit: Number(limit) } });
  if (json(command)) return printJson(rows);
  print(
    table(
      ["label", "text"],
      rows.map((r) => [r.label, oneLine(r.text, 100)]),
    ),
  );
}

function describe(quality: QualityReport): void {
  print(
    `${quality.passed ? paint("green", "passed") : paint("red", "failed")}: ${quality.rows} rows in ${quality.groups} near-duplicate groups; ${Object.entries(
      quality.by_label,
    )
      .map(([l, n]) => `${l} ${n}`)
      .join(", ")}`,
  );
  const at = (e: { row?: number | undefined; message: string }): string =>
    e.row === undefined ? e.message : `row ${e.row}: ${e.message}`;
  for (const error of quality.errors.slice(0, 20)) print(`  ${paint("red", "error")} ${at(error)}`);
  for (const warning of quality.warnings.slice(0, 20)) print(`  ${paint("yellow", "warning")} ${at(warning)}`);
}
