/**
 * Adversarial training on embeddings: a small push of the word vectors against the gradient's will, learnt beside the
 * clean batch. FGM takes one push (https://arxiv.org/abs/1605.07725), PGD several within a ball (https://arxiv.org/abs/1706.06083).
 */
import type { TokenRows } from "../nn/feed.ts";
import type { EncoderSessions, RowGradients, StepInputs, StepResult } from "./encoder.ts";

/** Settings of adversarial training. */
export interface AdversaryConfig {
  readonly method: "fgm" | "pgd";
  /** Largest Euclidean norm of a text's push over all its word vectors. */
  readonly epsilon: number;
  /** Pushes of PGD; FGM takes one. */
  readonly steps: number;
}

/**
 * One step on the batch as it is and one on the batch as pushed; loss and gradients are the mean of both.
 * @param table the table whose rows are the words
 */
export async function adversarialStep(
  sessions: Pick<EncoderSessions, "step">,
  batch: TokenRows,
  inputs: StepInputs,
  options: AdversaryConfig & { readonly table: string },
): Promise<StepResult> {
  const { method, epsilon, table } = options;
  const steps = method === "fgm" ? 1 : options.steps;
  const reach = method === "fgm" ? epsilon : (1.5 * epsilon) / steps;
  const clean = await sessions.step(batch, inputs);
  let last = clean;
  let shift: Float32Array | undefined;
  for (let i = 0; i < steps; i++) {
    const slope = wordGradients(last, table, batch);
    if (slope === undefined) return clean;
    shift ??= new Float32Array(slope.length);
    push(shift, slope, { batch, reach, epsilon });
    last = await sessions.step(batch, { ...inputs, shifts: new Map([[table, shift]]) });
  }
  return meanOf(clean, last);
}

/** Gradients of the words of the batch, (rows x tokens, width). */
function wordGradients({ rowGradients }: StepResult, table: string, batch: TokenRows): Float32Array | undefined {
  return rowGradients.find((site) => site.table === table && site.rows === batch.ids)?.data;
}

/** Moves every text's push by `reach` along its gradient and back onto the ball when it leaves it. */
function push(
  shift: Float32Array,
  slope: Float32Array,
  { batch, reach, epsilon }: { readonly batch: TokenRows; readonly reach: number; readonly epsilon: number },
): void {
  const size = shift.length / batch.rows;
  for (let row = 0; row < batch.rows; row++) {
    const own = shift.subarray(row * size, (row + 1) * size);
    const toward = slope.subarray(row * size, (row + 1) * size);
    const length = norm(toward);
    if (!(length > 0)) continue;
    for (let i = 0; i < size; i++) own[i] = (own[i] as number) + (reach * (toward[i] as number)) / length;
    const reached = norm(own);
    if (reached > epsilon) for (let i = 0; i < size; i++) own[i] = ((own[i] as number) * epsilon) / reached;
  }
}

function norm(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
  return Math.sqrt(sum);
}

function meanOf(a: StepResult, b: StepResult): StepResult {
  const gradients = new Map<string, Float32Array>();
  for (const [name, values] of a.gradients) {
    const other = b.gradients.get(name);
    gradients.set(
      name,
      values.map((value, i) => (value + (other?.[i] ?? 0)) / 2),
    );
  }
  const halved = ({ data, ...rest }: RowGradients): RowGradients => ({ ...rest, data: data.map((value) => value / 2) });
  return {
    loss: (a.loss + b.loss) / 2,
    logits: a.logits,
    gradients,
    rowGradients: [...a.rowGradients, ...b.rowGradients].map(halved),
  };
}
