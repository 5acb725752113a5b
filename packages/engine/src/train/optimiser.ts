/** Collects the gradients of an update, dense ones whole and embedding rows sparsely, and applies AdamW. */
import { adamUpdate, type Moments, squaredNorm } from "./adamw.ts";
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

/** Creates the optimiser; moments start at zero. */
export function createOptimiser(
  parameters: Parameters,
  trainable: readonly string[],
  options: OptimiserOptions,
): Optimiser {
  const chosen = trainable.flatMap((name): [string, Parameter][] => {
    const parameter = parameters.get(name);
    return parameter === undefined ? [] : [[name, parameter]];
  });
  const moments = new Map<string, Moments>(
    chosen.map(([name, { data }]) => [name, { m: new Float32Array(data.length), v: new Float32Array(data.length) }]),
  );
  const dense = new Map<string, Float32Array>();
  const sparse = new Map<string, SparseRows>();
  return {
    moments,
    add: ({ gradients, rowGradients }) => {
      for (const [name] of chosen) {
        const gradient = gradients.get(name);
        if (gradient !== undefined) addDense(dense, name, gradient);
      }
      for (const { table, rows, data } of rowGradients) {
        if (moments.has(table)) sparse.set(table, addRows(sparse.get(table), data, rows));
      }
    },
    apply: (learningRate, count) => {
      let square = 0;
      for (const gradient of dense.values()) square += squaredNorm(gradient);
      for (const rows of sparse.values()) square += squaredNorm(rows.data.subarray(0, rows.slots.size * rows.width));
      const norm = Math.sqrt(square);
      const scale = options.maxGradNorm > 0 && norm > options.maxGradNorm ? options.maxGradNorm / norm : 1;
      for (const [name, { data }] of chosen) {
        const own = moments.get(name);
        if (own === undefined) continue;
        const step = { ...options, learningRate, count, scale, weightDecay: options.decayOf(name) };
        const gradient = dense.get(name);
        if (gradient !== undefined) {
          adamUpdate({ data, moments: own, from: 0 }, { data: gradient, from: 0, length: gradient.length }, step);
        }
        const rows = sparse.get(name);
        for (const [id, slot] of rows?.slots ?? []) {
          const { width, data: values } = rows as SparseRows;
          adamUpdate(
            { data, moments: own, from: id * width },
            { data: values, from: slot * width, length: width },
            step,
          );
        }
      }
      dense.clear();
      sparse.clear();
      return norm;
    },
  };
}

function addDense(sums: Map<string, Float32Array>, name: string, gradient: Float32Array): void {
  const sum = sums.get(name);
  if (sum === undefined) {
    sums.set(name, gradient); // fresh at every run: no copy needed
    return;
  }
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (gradient[i] as number);
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
