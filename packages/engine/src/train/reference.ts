/** The outputs of an original implementation, as a reference folder holds them: expected.json, checked. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../error.ts";

/** Tokens that a text is cut to, specials kept. */
export const referenceTokens = 128;

/** One text. */
interface ReferenceText {
  readonly text: string;
  /** At most `referenceTokens`. */
  readonly input_ids: readonly number[];
  /** Tokens before the cut. */
  readonly full_length: number;
  /** Spans in code points. */
  readonly offsets: readonly (readonly number[])[];
  readonly logits: readonly number[];
}

/** What expected.json says. */
export interface Reference {
  readonly texts: readonly ReferenceText[];
  /** A padded batch with its mean loss. */
  readonly batch: {
    /** The label of each row, or for independent labels 0 or 1 for each of them. */
    readonly labels: readonly (number | readonly number[])[];
    readonly input_ids: readonly (readonly number[])[];
    readonly attention_mask: readonly (readonly number[])[];
    readonly logits: readonly (readonly number[])[];
    readonly loss: number;
  };
  /** Losses of AdamW steps on that batch, each before its update. */
  readonly adamw: {
    readonly lr: number;
    readonly weight_decay: number;
    readonly betas?: readonly number[];
    readonly eps?: number;
    readonly losses: readonly number[];
  };
}

type Fits = (value: unknown) => boolean;
const isNumber: Fits = (value) => typeof value === "number" && Number.isFinite(value);
const listOf =
  (fits: Fits): Fits =>
  (value) =>
    Array.isArray(value) && value.length > 0 && value.every(fits);
const isPadding: Fits = (mask) => Array.isArray(mask) && /^1+0*$/.test(mask.join(""));

/** What each part must be, in words and as a check. */
const parts: Readonly<Record<string, readonly [what: string, fits: Fits]>> = {
  texts: ["texts", listOf((value) => typeof value === "object" && value !== null)],
  "texts.text": ["a string", (value) => typeof value === "string"],
  "texts.input_ids": ["numbers", listOf(isNumber)],
  "texts.full_length": ["a number", isNumber],
  "texts.offsets": ["pairs of numbers", listOf(listOf(isNumber))],
  "texts.logits": ["numbers", listOf(isNumber)],
  "batch.labels": ["labels", listOf((value) => isNumber(value) || listOf(isNumber)(value))],
  "batch.input_ids": ["rows of numbers", listOf(listOf(isNumber))],
  "batch.attention_mask": ["rows of ones, then zeros", listOf(isPadding)],
  "batch.logits": ["rows of numbers", listOf(listOf(isNumber))],
  "batch.loss": ["a number", isNumber],
  "adamw.lr": ["a number", isNumber],
  "adamw.weight_decay": ["a number", isNumber],
  "adamw.losses": ["numbers", listOf(isNumber)],
};

/**
 * Reads `expected.json` of a reference folder.
 * @throws EngineError DATA when it is missing, is not JSON, or lacks a part, which is named.
 * @example
 * const { texts, batch, adamw } = await readReference("fixtures/parity/bert");
 */
export async function readReference(folder: string): Promise<Reference> {
  const where = join(folder, "expected.json");
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(await readFile(where, "utf8"));
  } catch (cause) {
    const message = `${folder} is no reference folder: expected.json cannot be read`;
    throw new EngineError("DATA", message, { where }, { cause });
  }
  for (const [path, [what, fits]] of Object.entries(parts)) {
    const [first = "", second] = path.split(".");
    const owner = json?.[first];
    const owners: unknown[] = Array.isArray(owner) ? owner : [owner];
    const values = second === undefined ? [owner] : owners.map((item) => (item as Record<string, unknown>)?.[second]);
    if (values.every(fits)) continue;
    const message = `${folder} is no reference folder: ${path} in expected.json is not ${what}`;
    throw new EngineError("DATA", message, { where, expected: what });
  }
  return json as unknown as Reference;
}
