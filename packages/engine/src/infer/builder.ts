/** Collects nodes and weights of an inference graph; constants and weights are emitted once however often they are used. */
import { EngineError } from "../error.ts";
import type { AttributeValue, Initializer, OnnxGraph, OnnxNode, ValueInfo } from "../onnx/model.ts";
import type { WeightTensor } from "../weights/safetensors.ts";

/** A weight file that the model names by offset: `file` is its name beside the model. */
export interface ExternalWeights {
  readonly file: string;
  readonly offsets: ReadonlyMap<string, { readonly offset: number; readonly length: number }>;
}

/** How int8 weights reach the integer product: signed, or shifted by 128 with a zero point. */
export type IntegerForm = "s8" | "u8";

/** Suffix of the tensor that holds the per-row scales of a quantised one. */
export const scaleSuffix = ".scale";

/** Suffix of the factors that even out the channels of a quantised weight's input (its columns are divided by them). */
export const channelSuffix = ".channels";

/** What `createBuilder` returns; every method answers the name of a value in the graph. */
export interface GraphBuilder {
  /** Adds an operator with one output; `com.microsoft.X` selects that domain. */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, AttributeValue>>): string;
  /** A float32 weight. Its shape is checked when given. */
  weight(name: string, shape?: readonly number[]): string;
  /** An int8 weight turned to (in, out), its scales, and its zero point in the u8 form. */
  integerWeight(name: string, shape: readonly number[]): { weight: string; scale: string; zero?: string };
  /** Rows of an embedding table, dequantised when it is int8. */
  lookup(table: string, ids: string): string;
  isQuantised(name: string): boolean;
  has(name: string): boolean;
  shapeOf(name: string): readonly number[];
  ints(values: readonly number[]): string;
  scalarInt(value: number): string;
  scalar(value: number): string;
  byte(value: number): string;
  finish(parts: { name: string; inputs: ValueInfo[]; output: ValueInfo; result: string }): OnnxGraph;
}

/**
 * Makes a builder over a set of weights.
 * @throws EngineError WEIGHTS from its methods when a tensor is missing or has another shape.
 * @example
 * const builder = createBuilder(tensors, {});
 * builder.node("Relu", [builder.weight("classifier.bias")]);
 */
export function createBuilder(
  weights: ReadonlyMap<string, WeightTensor>,
  options: { readonly external?: ExternalWeights; readonly integerForm?: IntegerForm },
): GraphBuilder {
  return new WeightedBuilder(weights, options.external, options.integerForm ?? "s8");
}

class WeightedBuilder implements GraphBuilder {
  readonly #weights: ReadonlyMap<string, WeightTensor>;
  readonly #external: ExternalWeights | undefined;
  readonly #form: IntegerForm;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #values = new Map<string, string>(); // weight name -> float32 value
  #count = 0;

  constructor(weights: ReadonlyMap<string, WeightTensor>, external: ExternalWeights | undefined, form: IntegerForm) {
    this.#weights = weights;
    this.#external = external;
    this.#form = form;
  }

  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, AttributeValue>>): string {
    const output = `v${this.#count++}`;
    const cut = op.lastIndexOf(".");
    this.#nodes.push({
      op: op.slice(cut + 1),
      ...(cut < 0 ? {} : { domain: op.slice(0, cut) }),
      inputs,
      outputs: [output],
      ...(attributes ? { attributes } : {}),
    });
    return output;
  }

  weight(name: string, shape?: readonly number[]): string {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const tensor = this.#tensor(name, shape);
    const slice = this.#external?.offsets.get(name);
    let value = name;
    if (this.#external && slice && (tensor.dtype === "F32" || tensor.dtype === "F16")) {
      const type = tensor.dtype === "F32" ? "float32" : "float16";
      this.#add({ name, type, dims: tensor.shape, data: { file: this.#external.file, ...slice } });
      if (type === "float16") value = this.node("Cast", [name], { to: 1 }); // folded when the session is made
    } else {
      this.#add({ name, type: "float32", dims: tensor.shape, data: tensor.toFloat32() });
    }
    this.#values.set(name, value);
    return value;
  }

  integerWeight(name: string, shape: readonly number[]): { weight: string; scale: string; zero?: string } {
    const tensor = this.#tensor(name, shape);
    const [rows = 0, columns = 0] = tensor.shape;
    const scale = this.weight(`${name}${scaleSuffix}`, [rows]);
    const shift = this.#form === "u8" ? 128 : 0;
    const data = transposeBytes(tensor.bytes, rows, columns, shift);
    this.#add({ name, type: shift ? "uint8" : "int8", dims: [columns, rows], data });
    return shift ? { weight: name, scale, zero: this.byte(128) } : { weight: name, scale };
  }

  lookup(table: string, ids: string): string {
    if (!this.isQuantised(table)) return this.node("Gather", [this.weight(table), ids]);
    const tensor = this.#tensor(table);
    this.#add({ name: table, type: "int8", dims: tensor.shape, data: tensor.bytes });
    const rows = this.node("Cast", [this.node("Gather", [table, ids])], { to: 1 }); // (batch, length, dim)
    const scales = this.node("Gather", [this.weight(`${table}${scaleSuffix}`), ids]); // (batch, length)
    return this.node("Mul", [rows, this.node("Unsqueeze", [scales, this.ints([-1])])]);
  }

  isQuantised(name: string): boolean {
    return this.#weights.get(name)?.dtype === "I8";
  }

  has(name: string): boolean {
    return this.#weights.has(name);
  }

  shapeOf(name: string): readonly number[] {
    return this.#tensor(name).shape;
  }

  ints(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.#add({ name: `ints_${values.join("_")}`, type: "int64", dims: [values.length], data });
  }

  scalarInt(value: number): string {
    return this.#add({ name: `int_${value}`, type: "int64", dims: [], data: BigInt64Array.of(BigInt(value)) });
  }

  scalar(value: number): string {
    return this.#add({ name: `float_${value}`, type: "float32", dims: [], data: Float32Array.of(value) });
  }

  byte(value: number): string {
    return this.#add({ name: `byte_${value}`, type: "uint8", dims: [], data: Uint8Array.of(value) });
  }

  finish(parts: { name: string; inputs: ValueInfo[]; output: ValueInfo; result: string }): OnnxGraph {
    this.#nodes.push({ op: "Identity", inputs: [parts.result], outputs: [parts.output.name] });
    return {
      name: parts.name,
      nodes: this.#nodes,
      inputs: parts.inputs,
      outputs: [parts.output],
      initializers: [...this.#initializers.values()],
    };
  }

  #add(initializer: Initializer): string {
    if (!this.#initializers.has(initializer.name)) this.#initializers.set(initializer.name, initializer);
    return initializer.name;
  }

  #tensor(name: string, shape?: readonly number[]): WeightTensor {
    const tensor = this.#weights.get(name);
    if (!tensor) throw new EngineError("WEIGHTS", "weight is missing", { where: name });
    if (shape && shape.join() !== tensor.shape.join()) {
      throw new EngineError("WEIGHTS", "weight has another shape", { where: name, expected: shape, got: tensor.shape });
    }
    return tensor;
  }
}

/** (rows, columns) → (columns, rows), each byte shifted by `shift` (modulo 256). */
function transposeBytes(bytes: Uint8Array, rows: number, columns: number, shift: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = (bytes[row * columns + column] ?? 0) + shift;
    }
  }
  return out;
}
