/**
 * The builder that serving uses: weights inside the graph, attention and activations fused, linear layers in integers
 * where their weights are int8. Embedding rows stay int8 and are dequantised after the lookup.
 */
import { EngineError } from "../error.ts";
import type { Graph } from "../graph/graph.ts";
import type { OnnxEmitter, Value } from "../graph/op.ts";
import type { Activation, AttendOptions, EncoderBuilder, LinearOptions, NormOptions } from "../nn/builder.ts";
import { type Feed, rowLengths, type Selection } from "../nn/feed.ts";
import { relativeScores } from "../nn/relative.ts";
import { rearrangements, widthOf } from "../nn/shapes.ts";
import type { WeightPlace } from "../weights/folder.ts";
import { channelSuffix, scaleSuffix } from "../weights/int8.ts";
import { weightName } from "../weights/names.ts";
import type { WeightTensor } from "../weights/safetensors.ts";
import {
  byte,
  type IntegerForm,
  type IntegerWeight,
  integerProduct,
  type QuantisedRows,
  quantiseRows,
  transposeBytes,
} from "./integer.ts";

/** Linear layers that read the same rows: what quantisation must know about them. */
export interface LinearSite {
  /** Name of the rows in the graph. */
  readonly input: string;
  /** Names of the layers, without `.weight`. */
  readonly names: readonly string[];
  /** The rows come from a normalisation, so some channels may be far larger than the rest. */
  readonly isNormed: boolean;
  readonly inputFirst: boolean;
}

/** What the serving builder collects besides the graph. */
export interface ServingBuilder extends EncoderBuilder {
  /** Graph inputs in the order of their first use. */
  readonly feeds: readonly Feed[];
  readonly linearSites: readonly LinearSite[];
  /** Tables whose rows the words of a text select. */
  readonly wordTables: readonly string[];
}

/** Options of `createServingBuilder`. */
export interface ServingOptions {
  /** Floating point only: name weights by their place in a file of the folder instead of copying them into the graph. */
  readonly places?: ReadonlyMap<string, WeightPlace>;
  /** int8 only. Default s8. */
  readonly integerForm?: IntegerForm;
}

/** Token ids, (batch, tokens). */
const ids: Feed = { name: "ids", type: "int32", shape: ["batch", "tokens"], make: (batch) => batch.ids };

/**
 * Makes a builder over a set of weights.
 * @throws EngineError WEIGHTS from its methods when a tensor is missing or has another shape.
 * @example
 * const b = createServingBuilder(createGraph(ops), tensors, {});
 * const logits = architecture.forward(b, config);
 */
export function createServingBuilder(
  g: Graph,
  weights: ReadonlyMap<string, WeightTensor>,
  options: ServingOptions,
): ServingBuilder {
  return new FusedBuilder(g, weights, options);
}

class FusedBuilder implements ServingBuilder {
  readonly g: Graph;
  readonly #sites: LinearSite[] = [];
  readonly wordTables: string[] = [];
  readonly split: EncoderBuilder["split"];
  readonly toRows: EncoderBuilder["toRows"];
  readonly toTokens: EncoderBuilder["toTokens"];
  readonly firstTokens: EncoderBuilder["firstTokens"];
  readonly weighTokens: EncoderBuilder["weighTokens"];
  readonly #weights: ReadonlyMap<string, WeightTensor>;
  readonly #options: ServingOptions;
  readonly #feeds = new Map<string, { readonly feed: Feed; readonly value: Value }>();
  readonly #values = new Map<string, Value>(); // by weight name
  readonly #activated = new Map<string, Activation>(); // by value name
  readonly #normed = new Set<string>(); // value names
  readonly #fixed = new Set<string>(); // names of values made of weights alone
  readonly #fixedSites: LinearSite[] = [];

  constructor(g: Graph, weights: ReadonlyMap<string, WeightTensor>, options: ServingOptions) {
    this.g = g;
    this.#weights = weights;
    this.#options = options;
    ({
      split: this.split,
      toRows: this.toRows,
      toTokens: this.toTokens,
      firstTokens: this.firstTokens,
      weighTokens: this.weighTokens,
    } = rearrangements(g));
    this.toRows = (x) => this.#carry(x, g.op("Reshape", [x], { shape: ["rows", widthOf(x)] }));
    const first = this.firstTokens;
    this.firstTokens = (rows) => this.#carry(rows, first(rows));
    this.feed(ids); // names the sizes batch and tokens
  }

  /** Layers that read weights alone come last: their inputs say nothing about those that read texts as well. */
  get linearSites(): readonly LinearSite[] {
    return [...this.#sites, ...this.#fixedSites];
  }

  get feeds(): readonly Feed[] {
    return [...this.#feeds.values()].map(({ feed }) => feed);
  }

  parameter(name: string, shape: readonly number[]): Value {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const { key, tensor } = this.#tensor(name, shape);
    const data = this.#options.places?.get(key);
    let value: Value;
    if (data && (tensor.dtype === "F32" || tensor.dtype === "F16")) {
      const type = tensor.dtype === "F32" ? "float32" : "float16";
      value = this.g.constant({ name: key, type, dims: tensor.shape, data });
      const stored = value.name;
      if (type === "float16") value = this.g.emit(shape, (e) => one(e, "Cast", [stored], { to: 1 })); // folded when the session is made
    } else {
      value = this.g.constant({ name: key, type: "float32", dims: tensor.shape, data: tensor.toFloat32() });
    }
    this.#values.set(name, value);
    return value;
  }

  embedding(table: string, selection: Selection, [rows, width]: readonly [number, number]): Value {
    const { name, shape } = selection;
    const isWords = name === "words" || name === "shifted";
    if (isWords && !this.wordTables.includes(table)) this.wordTables.push(table);
    const index = this.#index(selection);
    const { key, tensor } = this.#tensor(table, [rows, width]);
    const out = [...shape, width];
    if (tensor.dtype !== "I8") {
      const from = this.parameter(table, [rows, width]);
      return this.g.emit(out, (e) => one(e, "Gather", [from.name, index.name]));
    }
    const stored = this.g.constant({ name: key, type: "int8", dims: tensor.shape, data: tensor.bytes });
    const scales = this.parameter(`${key}${scaleSuffix}`, [rows]);
    return this.g.emit(out, (e) => {
      const gathered = one(e, "Cast", [one(e, "Gather", [stored.name, index.name])], { to: 1 });
      const scale = one(e, "Gather", [scales.name, index.name]);
      return one(e, "Mul", [gathered, one(e, "Unsqueeze", [scale, e.ints([-1])])]);
    });
  }

  deferred(table: string, _: Selection, size: readonly [number, number]): Value {
    const rows = this.parameter(table, size);
    this.#fixed.add(rows.name);
    return rows;
  }

  selected(x: Value, selection: Selection): Value {
    const index = this.#index(selection);
    return this.g.emit([...selection.shape, widthOf(x)], (e) => one(e, "Gather", [x.name, index.name]));
  }

  feed(feed: Feed): Value {
    const known = this.#feeds.get(feed.name) ?? { feed, value: this.g.input(feed.name, feed.type, feed.shape) };
    this.#feeds.set(feed.name, known);
    return known.value;
  }

  linear(x: Value, name: string, width: number, options: LinearOptions = {}): Value {
    return this.linears(x, [name], width, options)[0] ?? x;
  }

  linears(x: Value, names: readonly string[], width: number, options: LinearOptions = {}): Value[] {
    const { inputFirst = false } = options;
    const size = [width, widthOf(x)] as const;
    if (this.#fixed.has(x.name)) {
      this.#fixedSites.push({ input: x.name, names, isNormed: false, inputFirst });
      return names.map((name) => this.#fixedLinear(x, name, size, options));
    }
    this.#sites.push({ input: x.name, names, isNormed: this.#normed.has(x.name), inputFirst });
    if (!names.every((name) => this.#tensor(`${name}.weight`).tensor.dtype === "I8")) {
      return names.map((name) => this.#floatLinear(x, name, size, options));
    }
    let rows: QuantisedRows | undefined;
    const evened = this.#evened(x, `${names[0]}.weight`);
    return names.map((name) => {
      const weight = this.#integerWeight(`${name}.weight`, size);
      const product = this.g.emit([x.shape[0] ?? "rows", width], (e) => {
        rows ??= quantiseRows(e, evened.name, this.#activated.get(x.name));
        return integerProduct(e, rows, weight);
      });
      return this.#finish(product, name, options);
    });
  }

  layerNorm(x: Value, name: string, epsilon: number, { bias = true, rms = false }: NormOptions = {}): Value {
    const width = widthOf(x);
    const weight = this.parameter(`${name}.weight`, [width]);
    const inputs = bias && !rms ? [x, weight, this.parameter(`${name}.bias`, [width])] : [x, weight];
    // (ONNX Runtime's SkipLayerNormalization is slower than Add + LayerNormalization.)
    const y = this.g.op(rms ? "RmsNorm" : "LayerNorm", inputs, { epsilon });
    this.#normed.add(y.name);
    if (this.#fixed.has(x.name)) this.#fixed.add(y.name);
    return y;
  }

  activate(x: Value, activation: Activation): Value {
    const ops = { gelu: "Gelu", gelu_new: "FastGelu", relu: "Relu", tanh: "Tanh" } as const;
    const y = this.g.op(ops[activation], [x]);
    this.#activated.set(y.name, activation);
    return y;
  }

  dropout(x: Value): Value {
    return x;
  }

  attend(q: Value, k: Value, v: Value, options: AttendOptions): Value {
    const { g } = this;
    const { heads, queries, scale = Math.sqrt(heads / widthOf(q)), relative } = options;
    const width = widthOf(v);
    const threeD = (rows: Value, tokens: 1 | "tokens"): string =>
      g.op("Reshape", [rows], { shape: ["batch", tokens, widthOf(rows)] }).name;
    const inputs = [threeD(q, queries), threeD(k, "tokens"), threeD(v, "tokens"), "", this.feed(rowLengths).name];
    const byDistance = relative ? relativeScores(g, { q, k }, { heads, queries, scale, relative }) : [];
    const [first, ...rest] = [...(options.biases ?? []), ...byDistance];
    if (first) inputs.push(rest.reduce((sum, bias) => g.op("Add", [sum, bias]), first).name);
    const attributes = { num_heads: heads, scale: { float: scale } };
    const context = g.emit(["batch", queries, width], (e) => {
      return e.node("MultiHeadAttention", inputs, { domain: "com.microsoft", attributes })[0] ?? "";
    });
    return g.op("Reshape", [context], { shape: [queries === 1 ? "batch" : "rows", width] });
  }

  #floatLinear(x: Value, name: string, [out, from]: readonly [number, number], options: LinearOptions): Value {
    const { activation, bias = true, inputFirst = false } = options;
    const weight = this.parameter(`${name}.weight`, inputFirst ? [from, out] : [out, from]);
    const transB = inputFirst ? 0 : 1;
    if (activation !== undefined) return this.#finish(this.g.op("Gemm", [x, weight], { transB }), name, options);
    return this.g.op("Gemm", bias ? [x, weight, this.parameter(`${name}.bias`, [out])] : [x, weight], { transB });
  }

  /** A layer over rows made of weights alone, folded when the session is made: in floating point whatever the weights are. */
  #fixedLinear(x: Value, name: string, size: readonly [number, number], options: LinearOptions): Value {
    if (this.#tensor(`${name}.weight`).tensor.dtype !== "I8") return this.#floatLinear(x, name, size, options);
    const { weight, scale, zero } = this.#integerWeight(`${name}.weight`, size);
    const evened = this.#evened(x, `${name}.weight`);
    const product = this.g.emit([x.shape[0] ?? 1, size[0]], (e) => {
      const cast = one(e, "Cast", [weight], { to: 1 });
      const centred = zero === undefined ? cast : one(e, "Sub", [cast, e.floats([128], [])]);
      return one(e, "MatMul", [evened.name, one(e, "Mul", [centred, scale])]); // weight (in, out), scale (out)
    });
    return this.#finish(product, name, options);
  }

  /** Bias and activation behind a product; GELU takes the bias along. */
  #finish(product: Value, name: string, { activation, bias = true }: LinearOptions): Value {
    if (!bias) return activation ? this.activate(product, activation) : product;
    const offset = this.parameter(`${name}.bias`, [widthOf(product)]);
    if (activation !== "gelu" && activation !== "gelu_new") {
      const sum = this.g.op("Add", [product, offset]);
      return activation ? this.activate(sum, activation) : sum;
    }
    const op = activation === "gelu" ? "BiasGelu" : "FastGelu";
    const y = this.g.emit(product.shape, (e) => {
      return e.node(op, [product.name, offset.name], { domain: "com.microsoft" })[0] ?? "";
    });
    this.#activated.set(y.name, activation);
    return y;
  }

  /** The input of a quantised layer with its channels brought to one size, where the weights were made for that. */
  #evened(x: Value, weight: string): Value {
    const channels = `${weight}${channelSuffix}`;
    if (!this.#weights.has(channels)) return x;
    return this.g.op("Mul", [x, this.parameter(channels, [widthOf(x)])]);
  }

  #integerWeight(name: string, size: readonly [number, number]): IntegerWeight {
    const { tensor } = this.#tensor(name, size);
    const scale = this.parameter(`${name}${scaleSuffix}`, [size[0]]).name;
    const isShifted = this.#options.integerForm === "u8";
    const data = transposeBytes(tensor.bytes, size[0], size[1], isShifted ? 128 : 0);
    const type = isShifted ? "uint8" : "int8";
    const weight = this.g.constant({ name, type, dims: [size[1], size[0]], data }).name;
    if (!isShifted) return { weight, scale };
    let zero = "";
    this.g.emit([], (e) => (zero = byte(e, 128)));
    return { weight, scale, zero };
  }

  /** Rows that only moved are still what they were. */
  #carry(from: Value, to: Value): Value {
    const activation = this.#activated.get(from.name);
    if (activation) this.#activated.set(to.name, activation);
    if (this.#normed.has(from.name)) this.#normed.add(to.name);
    return to;
  }

  #index({ name, shape, rows }: Selection): Value {
    return this.feed(name === "words" ? ids : { name: `index.${name}`, type: "int32", shape, make: rows });
  }

  #tensor(name: string, shape?: readonly number[]): { readonly key: string; readonly tensor: WeightTensor } {
    const key = weightName(this.#weights, name);
    const tensor = key === undefined ? undefined : this.#weights.get(key);
    if (key === undefined || tensor === undefined) {
      throw new EngineError("WEIGHTS", "weight is missing", { where: name });
    }
    if (shape && shape.join() !== tensor.shape.join()) {
      const details = { where: name, expected: shape, got: tensor.shape };
      throw new EngineError("WEIGHTS", "weight has another shape than its configuration says", details);
    }
    return { key, tensor };
  }
}

function one(
  e: OnnxEmitter,
  op: string,
  inputs: readonly string[],
  attributes?: Readonly<Record<string, number>>,
): string {
  return e.node(op, inputs, attributes ? { attributes: { ...attributes } } : {})[0] ?? "";
}
