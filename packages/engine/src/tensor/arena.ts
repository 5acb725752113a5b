/**
 * Memory for weights that WebAssembly can reach: typed arrays over one WebAssembly memory, and the loops over them.
 * ONNX Runtime reads the same arrays. Beyond 4 GiB, the most that a memory holds, and on a Node before 26, the arrays are
 * ordinary ones and the loops run in JavaScript, three times slower and to the same results within rounding.
 */
import { readFileSync } from "node:fs";

/** Settings of one AdamW update. https://arxiv.org/abs/1711.05101 */
export interface AdamStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Number of this update, from 1: corrects the bias of the moments. */
  readonly count: number;
  /** Factor on the gradient: clipping. */
  readonly scale: number;
}

/** What an update changes and reads; four arrays of one length, all of one arena. */
export interface AdamState {
  readonly data: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
  readonly gradient: Float32Array;
}

/** Arrays and the loops over them. */
export interface Arena {
  /** A new array of zeros. */
  floats(length: number): Float32Array;
  /** A new array of zeros. */
  bytes(length: number): Int8Array;
  /** AdamW with decoupled weight decay, in place. */
  adamw(state: AdamState, step: AdamStep): void;
  /** Sum of squares of an array of this arena. */
  squares(values: Float32Array): number;
  /**
   * A matrix (rows, columns) to int8 = value / scale with a scale per row; columns must be a multiple of 16.
   * @throws RangeError when they are not.
   */
  rowsToInt8(values: Float32Array, out: Int8Array, scales: Float32Array): void;
  /** The same with a scale per column. */
  columnsToInt8(values: Float32Array, out: Int8Array, scales: Float32Array): void;
}

const pageBytes = 65_536;
const mostPages = 65_536;
/** ONNX Runtime gets the arrays through Node-API: shared memory, as this is, Node 20 refuses and Node 26 takes. */
const takesShared = Number(process.versions.node.split(".")[0]) >= 26;

/**
 * Creates an arena with room for so many bytes, plus 64 for every array.
 * @example
 * const arena = createArena(4 * 1000 * 16);
 * const weights = arena.floats(1000);
 */
export function createArena(capacity: number): Arena {
  const pages = Math.ceil(capacity / pageBytes) + 1;
  return takesShared && pages <= mostPages ? new WasmArena(pages) : new PlainArena();
}

/** An arena of ordinary arrays. */
export class PlainArena implements Arena {
  floats(length: number): Float32Array {
    return new Float32Array(length);
  }

  bytes(length: number): Int8Array {
    return new Int8Array(length);
  }

  adamw({ data, m, v, gradient }: AdamState, step: AdamStep): void {
    const { beta1, beta2, epsilon, rest1, rest2, keep, rate, root } = factors(step);
    for (let i = 0; i < data.length; i++) {
      const slope = gradient[i] as number;
      const mi = beta1 * (m[i] as number) + rest1 * slope;
      const vi = beta2 * (v[i] as number) + rest2 * slope * slope;
      m[i] = mi;
      v[i] = vi;
      data[i] = keep * (data[i] as number) - (rate * mi) / (Math.sqrt(vi) * root + epsilon);
    }
  }

  squares(values: Float32Array): number {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
    return sum;
  }

  rowsToInt8(values: Float32Array, out: Int8Array, scales: Float32Array): void {
    const columns = columnsOf(values, scales.length);
    for (let row = 0; row < scales.length; row++) {
      const own = values.subarray(row * columns, (row + 1) * columns);
      const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
      scales[row] = largest / 127;
      for (let i = 0; i < columns; i++) out[row * columns + i] = Math.round(((own[i] as number) * 127) / largest);
    }
  }

  columnsToInt8(values: Float32Array, out: Int8Array, scales: Float32Array): void {
    const columns = scales.length;
    columnsOf(values, values.length / columns);
    scales.fill(1e-30);
    for (const [i, value] of values.entries()) {
      scales[i % columns] = Math.max(scales[i % columns] as number, Math.abs(value));
    }
    for (let i = 0; i < values.length; i++) {
      out[i] = Math.round(((values[i] as number) * 127) / (scales[i % columns] as number));
    }
    for (let i = 0; i < columns; i++) scales[i] = (scales[i] as number) / 127;
  }
}

/** The functions of kernels.wat: addresses and counts first. */
interface Kernels {
  adamw(...args: readonly number[]): void;
  squares(address: number, count: number): number;
  rowsToInt8(values: number, rows: number, columns: number, out: number, scales: number): void;
  columnsToInt8(...args: readonly number[]): void;
}

let compiled: WebAssembly.Module | undefined;

class WasmArena implements Arena {
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: Kernels;
  readonly #room: number; // address of room for one row of inverses
  #next = 64;

  constructor(pages: number) {
    compiled ??= new WebAssembly.Module(readFileSync(new URL("./kernels.wasm", import.meta.url)));
    this.#memory = new WebAssembly.Memory({ initial: pages + 1, maximum: mostPages, shared: true });
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory: this.#memory } });
    this.#kernels = exports as unknown as Kernels;
    this.#room = this.#take(pageBytes);
  }

  floats(length: number): Float32Array {
    const at = this.#take(4 * length);
    return new Float32Array(this.#memory.buffer, at, length);
  }

  bytes(length: number): Int8Array {
    const at = this.#take(length);
    return new Int8Array(this.#memory.buffer, at, length);
  }

  adamw({ data, m, v, gradient }: AdamState, step: AdamStep): void {
    const { beta1, beta2, epsilon, rest1, rest2, keep, rate, root } = factors(step);
    const at = [data.byteOffset, m.byteOffset, v.byteOffset, gradient.byteOffset, data.length];
    this.#kernels.adamw(...at, beta1, rest1, beta2, rest2, keep, rate, root, epsilon);
  }

  squares(values: Float32Array): number {
    return this.#kernels.squares(values.byteOffset, values.length);
  }

  rowsToInt8(values: Float32Array, out: Int8Array, scales: Float32Array): void {
    const columns = columnsOf(values, scales.length);
    this.#kernels.rowsToInt8(values.byteOffset, scales.length, columns, out.byteOffset, scales.byteOffset);
  }

  columnsToInt8(values: Float32Array, out: Int8Array, scales: Float32Array): void {
    const columns = scales.length;
    const rows = values.length / columns;
    columnsOf(values, rows);
    if (4 * columns > pageBytes) throw new RangeError(`at most ${pageBytes / 4} columns, got ${columns}`);
    const { byteOffset } = values;
    this.#kernels.columnsToInt8(byteOffset, rows, columns, out.byteOffset, scales.byteOffset, this.#room);
  }

  /** Address of fresh zeros, aligned to 64 bytes; the memory grows when it was sized too small. */
  #take(bytes: number): number {
    const at = this.#next;
    this.#next += Math.ceil(bytes / 64) * 64;
    const missing = Math.ceil((this.#next - this.#memory.buffer.byteLength) / pageBytes);
    if (missing > 0) this.#memory.grow(missing);
    return at;
  }
}

function factors({ beta1, beta2, epsilon, scale, learningRate, weightDecay, count }: AdamStep) {
  return {
    beta1,
    beta2,
    epsilon,
    rest1: (1 - beta1) * scale,
    rest2: (1 - beta2) * scale * scale,
    keep: 1 - learningRate * weightDecay,
    rate: learningRate / (1 - beta1 ** count),
    root: 1 / Math.sqrt(1 - beta2 ** count),
  };
}

function columnsOf(values: Float32Array, rows: number): number {
  const columns = values.length / rows;
  if (Number.isInteger(columns) && columns % 16 === 0) return columns;
  throw new RangeError(`columns must be a multiple of 16, got ${columns}`);
}
