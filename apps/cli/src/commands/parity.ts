/** `mlsec parity`: how far the engine is from the original implementation of a model. */
import type { ReferenceReport } from "@mlsec/engine";
import { statSync } from "node:fs";
import { type AddCommand, finish } from "../command.ts";
import { note, oneLine, paint, print, printJson, table } from "../terminal.ts";

type Row = { readonly folder: string } & (ReferenceReport | { readonly error: string });

export const add: AddCommand = (program) => {
  program
    .command("parity")
    .summary("compare the engine with the original implementation of a model")
    .description(
      "Compares token ids, offsets, logits, gradients and AdamW losses with what the original\n" +
        "implementation recorded in a folder (model, expected.json, gradients.safetensors). Needs no server.\n" +
        "Exit code: 0 all agree, 1 a difference above its limit, 2 a folder that cannot be compared.\n" +
        "Limits: no differing id or offset, logits 1e-4, gradients 1e-3 (relative), losses 1e-4.",
    )
    .argument("<folder...>", "folders with a model and its reference outputs")
    .option("--json", "print JSON")
    .action(run);
};

async function run(paths: string[], { json }: { json?: boolean }): Promise<void> {
  const { compareWithReference, EngineError } = await import("@mlsec/engine");
  const files = paths.filter((name) => statSync(name, { throwIfNoEntry: false })?.isFile() === true);
  const folders = paths.filter((name) => !files.includes(name) || files.length === paths.length);
  if (files.length < paths.length) for (const file of files) note(`${file} is a file: left out`); // a README under parity/*
  const rows: Row[] = [];
  for (const folder of folders) {
    try {
      rows.push({ folder, ...(await compareWithReference(folder)) });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      rows.push({ folder, error: error.message });
    }
  }
  if (json) printJson(rows);
  else printTable(rows);
  const isError = rows.some((row) => "error" in row);
  finish(isError ? 2 : rows.some((row) => "agrees" in row && !row.agrees) ? 1 : 0);
}

function printTable(rows: readonly Row[]): void {
  const figure = (value: number): string => (value === 0 ? "0" : value.toExponential(1));
  const header = ["folder", "model", "texts", "ids", "offsets", "logits", "gradients", "losses", "result"];
  const lines = rows.flatMap((row) => {
    if ("error" in row) return [];
    const { modelType, texts, differingIds, differingOffsets, logits, gradients, losses, agrees } = row;
    const result = agrees ? paint("green", "agrees") : paint("red", "differs");
    const counts = [texts, differingIds, differingOffsets].map(String);
    return [[row.folder, modelType, ...counts, ...[logits, gradients, losses].map(figure), result]];
  });
  if (lines.length > 0) print(table(header, lines));
  for (const row of rows) {
    if ("error" in row) note(`${paint("red", "error:")} ${oneLine(row.error, 200)}`);
    else if (!(row.gradients <= 1e-3)) note(`${row.folder}: the gradient of ${row.worstGradient} differs most`);
  }
}
