/** Collects the gradients of an update, dense ones whole and embedding rows sparsely, and applies AdamW. */
import type { StepResult } from "./encoder.ts";
import type { Parameter, Parameters } from "./parameters.ts";

/** Settings that stay the same over a run. */
export interface OptimiserOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly maxGradNorm: number;
  /** Decay of a parameter, by its name. */
  readonly decayOf: (name: string) => number;
}

/** First and second moments of one parameter. */
export interface Moments {
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** AdamW over the trainable parameters. Embedding rows that a batch does not touch are left as they are. */
export interface Optimiser {
  /** Adds the gradients of one run. */
  add(result: Pick<StepResult, "gradients" | "rowGradients">): void;
  /** Applies what was added and forgets it; returns the gradient norm before clipping. */
  apply(learningRate: number, count: number): number;
  readonly moments: ReadonlyMap<string, Moments>;
}

/** Gradient rows of one embedding table. */
interface SparseRows {
  readonly slots: Map<number, number>;
  data: Float32Array;
  width: number;
}

/** One dense parameter under training: its gradient so far, and whether there is one. */
interface Dense {
  readonly gradient: Float32Array;
  isSet: boolean;
}

/** Creates the optimiser; moments start at zero. */
export function createOptimiser(
  parameters: Parameters,
  trainable: readonly string[],
  options: OptimiserOptions,
): Optimiser {
  const { arena } = parameters;
  const chosen = trainable.flatMap((name): [string, Parameter][] => {
    const parameter = parameters.get(name);
    return parameter === undefined ? [] : [[name, parameter]];
  });
  const moments = new Map<string, Moments>(
    chosen.map(([name, { data }]) => [name, { m: arena.floats(data.length), v: arena.floats(data.length) }]),
  );
  const dense = new Map<string, Dense>();
  for (const [name, { spec, data }] of chosen) {
    if (spec.table === undefined) dense.set(name, { gradient: arena.floats(data.length), isSet: false });
  }
  const sparse = new Map<string, SparseRows>();
  const row = arena.floats(
    chosen.reduce((most, [, { spec }]) => Math.max(most, spec.table ? (spec.shape[1] ?? 0) : 0), 0),
  );
  return {
    moments,
    add: ({ gradients, rowGradients }) => {
      for (const [name, own] of dense) {
        const gradient = gradients.get(name);
        if (gradient !== undefined) addDense(own, gradient);
      }
      for (const { table, rows, data } of rowGradients) {
        if (moments.has(table)) sparse.set(table, addRows(sparse.get(table), data, rows));
      }
    },
    apply: (learningRate, count) => {
      let square = 0;
      for (const { gradient, isSet } of dense.values()) if (isSet) square += arena.squares(gradient);
      for (const rows of sparse.values()) square += squaredNorm(rows.data.subarray(0, rows.slots.size * rows.width));
      const norm = Math.sqrt(square);
      const scale = options.maxGradNorm > 0 && norm > options.maxGradNorm ? options.maxGradNorm / norm : 1;
      for (const [name, { data }] of chosen) {
        const own = moments.get(name);
        if (own === undefined) continue;
        const step = { ...options, learningRate, count, scale, weightDecay: options.decayOf(name) };
        const sum = dense.get(name);
        if (sum?.isSet) arena.adamw({ data, ...own, gradient: sum.gradient }, step);
        if (sum) sum.isSet = false;
        const rows = sparse.get(name);
        if (rows === undefined) continue;
        const { width, slots } = rows;
        const gradient = row.subarray(0, width);
        for (const [id, slot] of slots) {
          gradient.set(rows.data.subarray(slot * width, (slot + 1) * width));
          const part = (whole: Float32Array): Float32Array => whole.subarray(id * width, (id + 1) * width);
          arena.adamw({ data: part(data), m: part(own.m), v: part(own.v), gradient }, step);
        }
      }
      sparse.clear();
      return norm;
    },
  };
}

function addDense(own: Dense, gradient: Float32Array): void {
  const sum = own.gradient;
  if (own.isSet) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (gradient[i] as number);
  else sum.set(gradient);
  own.isSet = true;
}

function addRows(before: SparseRows | undefined, gradient: Float32Array, ids: Int32Array): SparseRows {
  const width = gradient.length / ids.length;
  const rows = before ?? { slots: new Map<number, number>(), data: new Float32Array(gradient.length), width };
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    let slot = rows.slots.get(id);
    if (slot === undefined) {
      slot = rows.slots.size;
      rows.slots.set(id, slot);
      rows.data = grown(rows.data, (slot + 1) * width);
    }
    const to = slot * width;
    const from = i * width;
    const { data } = rows;
    for (let k = 0; k < width; k++) data[to + k] = (data[to + k] as number) + (gradient[from + k] as number);
  }
  return rows;
}

function grown(data: Float32Array, size: number): Float32Array {
  if (size <= data.length) return data;
  const larger = new Float32Array(Math.max(size, data.length * 2));
  larger.set(data);
  return larger;
}

function squaredNorm(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
  return sum;
}
