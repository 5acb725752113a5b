/** One update of the weights: as many runs of the graph as the token budget asks for, then AdamW. */
import { adversarialStep } from "./adversary.ts";
import { type EncodedRow, padBatch, type Specials, splitByBudget, trainingWindow } from "./batch.ts";
import { learningRateAt, type TrainConfig } from "./config.ts";
import type { DropoutPool } from "./dropout.ts";
import type { EncoderSessions, StepInputs } from "./encoder.ts";
import { independentTargets } from "./independent.ts";
import type { Optimiser } from "./optimiser.ts";
import { rowWeight, softTargets, taughtTargets } from "./rows.ts";

/** What an update needs of a run. */
export interface Update {
  readonly config: TrainConfig;
  readonly sessions: EncoderSessions;
  readonly optimiser: Optimiser;
  readonly masks: DropoutPool;
  readonly specials: Specials;
  readonly rows: readonly EncodedRow[];
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  readonly weights: Float64Array;
  readonly totalSteps: number;
  /** Name of the table that words select their vectors from. */
  readonly wordTable: string;
}

/** Applies one batch of row indices; returns the loss. A loss that is not finite changes nothing. */
export async function update(
  run: Update,
  batch: readonly number[],
  at: { readonly step: number; readonly epoch: number },
): Promise<number> {
  const { config, rows, specials, weights, sessions, wordTable } = run;
  const batchWeight = batch.reduce((sum, i) => sum + rowWeight(rows[i], weights), 0);
  let loss = 0;
  sessions.refresh();
  for (const [part, indices] of splitByBudget(batch, run.lengths, config.tokenBudget).entries()) {
    const chosen = indices.flatMap((index) => {
      const row = rows[index];
      return row === undefined ? [] : [{ row, index }];
    });
    const windows = chosen.map(({ row, index }) =>
      trainingWindow(row, specials, { ...config, epoch: at.epoch, index, start: run.starts[index] ?? 0 }),
    );
    const tokens = padBatch(windows, indices, specials.padId);
    const own = chosen.map(({ row }) => row);
    const inputs = { ...targetsOf(run, own, batchWeight), masks: run.masks.at(at.step, part) };
    const result = config.adversarial
      ? await adversarialStep(sessions, tokens, inputs, { ...config.adversarial, table: wordTable })
      : await sessions.step(tokens, inputs);
    loss += result.loss;
    run.optimiser.add(result);
  }
  if (Number.isFinite(loss)) run.optimiser.apply(learningRateAt(config, at.step, run.totalSteps), at.step + 1);
  return loss;
}

/** What the loss is measured against; independent labels bring the mass of every row along, taught rows the teacher's. */
function targetsOf(
  run: Update,
  rows: readonly EncodedRow[],
  batchWeight: number,
): Pick<StepInputs, "targets" | "mass" | "softTargets"> {
  const { config, weights } = run;
  const options = { classes: config.labels.length, smoothing: config.labelSmoothing, batchWeight };
  const own = rows.map((row) => rowWeight(row, weights));
  if (config.multiLabel) return independentTargets(rows, own, options);
  const labels = rows.map(({ label }) => label);
  const targets = softTargets(labels, weights, options);
  if (!run.rows.some(({ soft }) => soft !== undefined)) return { targets };
  return taughtTargets(rows, targets, { weights: own, share: config.distillation.share, batchWeight });
}
