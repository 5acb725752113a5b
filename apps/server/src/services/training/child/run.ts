// One job from its rows to a finished detector and the figures of the gate. Everything it needs lies in the job folder.
import fs from "node:fs";
import { readFile, writeFile, rename } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import { EngineError } from "@mlsec/engine";
import { lockFolder } from "./lock.ts";
import { measureOnSuite } from "./measure.ts";
import {
  type ChildMessage,
  type ChildResult,
  type ChildSpec,
  outFolder,
  resultFile,
  specFile,
  type Tell,
} from "./messages.ts";
import { prepareRows } from "./prepare.ts";
import { fit } from "./fit.ts";

/** Tells `done` once `result.json` is complete, or `failed`; never rejects. */
export async function runJob(folder: string, signal: AbortSignal, tell: Tell): Promise<void> {
  try {
    await lockFolder(folder);
    const spec = JSON.parse(await readFile(path.join(folder, specFile), "utf8")) as ChildSpec;
    await write(path.join(folder, resultFile), await work(folder, spec, signal, tell));
    tell({ type: "done" });
  } catch (error) {
    tell(failure(error));
  }
}

async function work(folder: string, spec: ChildSpec, signal: AbortSignal, tell: Tell): Promise<ChildResult> {
  const rows = await prepareRows(folder, spec, tell);
  signal.throwIfAborted();
  const { losses, scorecard } = await fit(folder, spec, rows, signal, tell);
  const measured = await measureOnSuite(path.join(folder, outFolder), spec, rows.suite, signal, tell);
  const { train, held, repeated, contaminated } = rows;
  return { losses, scorecard, ...measured, rows: { train: train.length, held: held.length, repeated, contaminated } };
}

async function write(file: string, result: ChildResult): Promise<void> {
  await writeFile(`${file}.tmp`, JSON.stringify(result), { flush: true });
  await rename(`${file}.tmp`, file);
}

// What the engine says about rows, settings and weights will not change by trying again.
const finalCodes: Readonly<Record<string, string>> = {
  CONFIG: "INVALID_CONFIG",
  DATA: "DATA_INVALID",
  WEIGHTS: "WEIGHTS_UNREACHABLE",
  TOKENIZER: "WEIGHTS_UNREACHABLE",
  DIVERGED: "INVALID_CONFIG",
  PARITY: "CONFLICT",
  INTEGRITY: "CONFLICT",
};

function failure(error: unknown): ChildMessage {
  if (error instanceof AppError)
    return { type: "failed", code: error.code, detail: error.message, isFinal: error.status < 500 };
  if (error instanceof EngineError) {
    const code = finalCodes[error.code];
    return { type: "failed", code: code ?? "INTERNAL", detail: describe(error), isFinal: code !== undefined };
  }
  const isFull = (error as NodeJS.ErrnoException | undefined)?.code === "ENOSPC";
  const detail = isFull ? "the disk is full" : error instanceof Error ? error.message : String(error);
  return { type: "failed", code: isFull ? "STORAGE_FULL" : "INTERNAL", detail, isFinal: false };
}

/** Message and fields; paths of this machine are cut to their last part. */
function describe({ message, details }: EngineError): string {
  const { where, expected, got } = details;
  const place =
    where === undefined ? "" : ` (${where.startsWith("/") || fs.existsSync(where) ? path.basename(where) : where})`;
  const wanted = expected === undefined ? "" : `; expected ${short(expected)}, got ${short(got)}`;
  return `${message}${place}${wanted}`;
}
const short = (value: unknown): string =>
  (typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing")).slice(0, 200);
