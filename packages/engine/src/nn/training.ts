/** The builder that training uses: parameters are graph inputs, so one session trains while they change outside. */
import type { Graph } from "../graph/graph.ts";
import type { Shape, Value } from "../graph/op.ts";
import type { Activation, AttendOptions, DropoutRates, EncoderBuilder, LinearOptions } from "./builder.ts";
import { type Feed, paddingBias, type Selection } from "./feed.ts";
import { relativeScores } from "./relative.ts";
import { rearrangements, widthOf } from "./shapes.ts";

/** One place where dropout multiplies by a mask, given at every run: 0 or 1/(1 - rate). */
export interface DropoutSite {
  readonly input: string;
  readonly shape: Shape;
  readonly rate: number;
}

/** One place where rows of a table enter the graph; the caller gathers them and scatters their gradient. */
export interface GatherSite {
  /** Name of the graph input, shaped (…selection, width). */
  readonly input: string;
  readonly table: string;
  readonly selection: Selection;
  readonly value: Value;
}

/** Low-rank updates of linear layers: https://arxiv.org/abs/2106.09685 */
export interface LoraOptions {
  readonly rank: number;
  /** The update is scaled by alpha / rank. */
  readonly alpha: number;
  /** Whether the linear layer of this name gets one. */
  readonly applies: (name: string) => boolean;
}

/** A linear layer with int8 products: names of the graph inputs that hold its weight (out, in) quantised. */
export interface LowSite {
  readonly weight: string;
  readonly shape: readonly [out: number, width: number];
  readonly columns: string;
  readonly columnScales: string;
  /** Where the forward product is int8 too. */
  readonly rows?: string;
  readonly rowScales?: string;
}

/** Options of `createTrainingBuilder`. */
export interface TrainingOptions {
  readonly rates: DropoutRates;
  readonly lora?: LoraOptions | undefined;
  /** Products of the wide layers in int8: those of input gradients, or those of the forward pass too. */
  readonly int8?: "gradients" | "all" | undefined;
}

/** A linear layer with a low-rank update. */
export interface LoraSite {
  /** Without `.weight`. */
  readonly name: string;
  readonly inputFirst: boolean;
  readonly shape: readonly [out: number, width: number];
}

/** What the training builder collects besides the graph. */
export interface TrainingBuilder extends EncoderBuilder {
  readonly loraSites: readonly LoraSite[];
  readonly lowSites: readonly LowSite[];
  readonly dropoutSites: readonly DropoutSite[];
  readonly gatherSites: readonly GatherSite[];
  readonly parameters: ReadonlyMap<string, Value>;
  readonly feeds: readonly Feed[];
}

/** Names of the two factors of a linear layer's low-rank update: A (rank, in) and B (out, rank). */
export const loraNames = (name: string): { readonly a: string; readonly b: string } => ({
  a: `${name}.lora_A.weight`,
  b: `${name}.lora_B.weight`,
});

/**
 * Creates a builder whose graph has as inputs the gathered rows, the parameters, the feeds and one mask per dropout site.
 * @example
 * const b = createTrainingBuilder(createGraph(ops), { rates: { hidden: 0.1, attention: 0, head: 0.1 } });
 * const logits = architecture.forward(b, config);
 */
export function createTrainingBuilder(g: Graph, options: TrainingOptions): TrainingBuilder {
  return new DifferentiableBuilder(g, options);
}

const activationOps = { gelu: "Gelu", gelu_new: "FastGelu", relu: "Relu", tanh: "Tanh" } as const;

class DifferentiableBuilder implements TrainingBuilder {
  readonly g: Graph;
  readonly dropoutSites: DropoutSite[] = [];
  readonly gatherSites: GatherSite[] = [];
  readonly parameters = new Map<string, Value>();
  readonly split: EncoderBuilder["split"];
  readonly toRows: EncoderBuilder["toRows"];
  readonly toTokens: EncoderBuilder["toTokens"];
  readonly firstTokens: EncoderBuilder["firstTokens"];
  readonly weighTokens: EncoderBuilder["weighTokens"];
  readonly lowSites: LowSite[] = [];
  readonly loraSites: LoraSite[] = [];
  readonly #options: TrainingOptions;
  readonly #feeds = new Map<string, { readonly feed: Feed; readonly value: Value }>();
  readonly #quantised = new Map<string, readonly Value[]>(); // by weight name

  constructor(g: Graph, options: TrainingOptions) {
    this.g = g;
    this.#options = options;
    ({
      split: this.split,
      toRows: this.toRows,
      toTokens: this.toTokens,
      firstTokens: this.firstTokens,
      weighTokens: this.weighTokens,
    } = rearrangements(g));
  }

  get feeds(): readonly Feed[] {
    return [...this.#feeds.values()].map(({ feed }) => feed);
  }

  parameter(name: string, shape: readonly number[]): Value {
    const value = this.parameters.get(name) ?? this.g.input(name, "float32", shape);
    this.parameters.set(name, value);
    return value;
  }

  embedding(table: string, selection: Selection, [, width]: readonly [number, number]): Value {
    const input = `${table}@${selection.name}`;
    const known = this.gatherSites.find((site) => site.input === input);
    if (known !== undefined) return known.value;
    const value = this.g.input(input, "float32", [...selection.shape, width]);
    this.gatherSites.push({ input, table, selection, value });
    return value;
  }

  deferred(table: string, selection: Selection, size: readonly [number, number]): Value {
    return this.embedding(table, selection, size);
  }

  selected(x: Value): Value {
    return x;
  }

  feed(feed: Feed): Value {
    const known = this.#feeds.get(feed.name) ?? { feed, value: this.g.input(feed.name, feed.type, feed.shape) };
    this.#feeds.set(feed.name, known);
    return known.value;
  }

  linear(x: Value, name: string, width: number, options: LinearOptions = {}): Value {
    const { g } = this;
    const { activation, bias = true, inputFirst = false } = options;
    const from = widthOf(x);
    const weight = this.parameter(`${name}.weight`, inputFirst ? [from, width] : [width, from]);
    const inputs = bias ? [x, weight, this.parameter(`${name}.bias`, [width])] : [x, weight];
    const { lora } = this.#options;
    let y = this.#isLow(x, width, options)
      ? this.#lowGemm(x, inputs.slice(1), `${name}.weight`)
      : g.op("Gemm", inputs, { transB: inputFirst ? 0 : 1 });
    if (lora?.applies(name)) {
      if (!this.loraSites.some((site) => site.name === name))
        this.loraSites.push({ name, inputFirst, shape: [width, from] });
      y = g.op("Add", [y, this.#lowRank(x, name, width, lora)]);
    }
    return activation ? this.activate(y, activation) : y;
  }

  linears(x: Value, names: readonly string[], width: number, options?: LinearOptions): Value[] {
    return names.map((name) => this.linear(x, name, width, options));
  }

  layerNorm(
    x: Value,
    name: string,
    epsilon: number,
    { bias = true, rms = false }: { readonly bias?: boolean; readonly rms?: boolean } = {},
  ): Value {
    const weight = this.parameter(`${name}.weight`, [widthOf(x)]);
    if (rms) return this.g.op("RmsNorm", [x, weight], { epsilon });
    if (bias) return this.g.op("LayerNorm", [x, weight, this.parameter(`${name}.bias`, [widthOf(x)])], { epsilon });
    return this.g.op("LayerNorm", [x, weight], { epsilon });
  }

  activate(x: Value, activation: Activation): Value {
    return this.g.op(activationOps[activation], [x]);
  }

  dropout(x: Value, kind: keyof DropoutRates): Value {
    const rate = this.#options.rates[kind];
    if (rate === 0) return x;
    const input = `dropout.${this.dropoutSites.length}`;
    this.dropoutSites.push({ input, shape: x.shape, rate });
    return this.g.op("Mul", [x, this.g.input(input, "float32", x.shape)]);
  }

  /** https://arxiv.org/abs/1706.03762 */
  attend(q: Value, k: Value, v: Value, options: AttendOptions): Value {
    const { g } = this;
    const { heads, queries, scale = Math.sqrt(heads / widthOf(q)), biases = [], relative } = options;
    const [qh, kh, vh] = [
      this.split(q, heads, queries),
      this.split(k, heads, "tokens"),
      this.split(v, heads, "tokens"),
    ];
    let scores = g.op("MatMul", [qh, kh], { transB: 1, alpha: scale }); // (batch, heads, queries, tokens)
    const byDistance = relative ? relativeScores(g, { q, k }, { heads, queries, scale, relative }) : [];
    for (const bias of [...biases, ...byDistance, this.feed(paddingBias)]) scores = g.op("Add", [scores, bias]);
    const probabilities = this.dropout(g.op("Softmax", [scores]), "attention"); // (batch, heads, queries, tokens)
    const context = g.op("MatMul", [probabilities, vh]); // (batch, heads, queries, dim)
    const joined = g.op("Transpose", [context], { perm: [0, 2, 1, 3] }); // (batch, queries, heads, dim)
    return g.op("Reshape", [joined], { shape: [queries === 1 ? "batch" : "rows", widthOf(v)] });
  }

  /** Rows of single texts are few, and the kernels want multiples of 16. */
  #isLow(x: Value, width: number, { inputFirst = false }: LinearOptions): boolean {
    const isWide = x.shape[0] === "rows" && widthOf(x) % 16 === 0 && width % 16 === 0;
    return this.#options.int8 !== undefined && isWide && !inputFirst;
  }

  #lowGemm(x: Value, [weight, ...bias]: readonly Value[], name: string): Value {
    if (weight === undefined) return x;
    const shape = [Number(weight.shape[0]), Number(weight.shape[1])] as const;
    const isForward = this.#options.int8 === "all";
    const site: LowSite = {
      ...{ weight: name, shape, columns: `${name}@columns`, columnScales: `${name}@column_scales` },
      ...(isForward && { rows: `${name}@rows`, rowScales: `${name}@row_scales` }),
    };
    const quantised = this.#quantised.get(name) ?? this.#quantisedInputs(site);
    if (!this.#quantised.has(name)) this.lowSites.push(site);
    this.#quantised.set(name, quantised);
    return this.g.op(isForward ? "LowGemm" : "LowGradGemm", [x, weight, ...quantised, ...bias]);
  }

  #quantisedInputs({ shape, rows, rowScales, columns, columnScales }: LowSite): readonly Value[] {
    const [out, width] = shape;
    return [
      ...(rows === undefined ? [] : [this.g.input(rows, "int8", [out, width])]),
      ...(rowScales === undefined ? [] : [this.g.input(rowScales, "float32", [out])]),
      this.g.input(columns, "int8", [out, width]),
      this.g.input(columnScales, "float32", [width]),
    ];
  }

  /** (alpha / rank) x Aᵀ Bᵀ */
  #lowRank(x: Value, name: string, width: number, { rank, alpha }: LoraOptions): Value {
    const { a, b } = loraNames(name);
    const inner = this.g.op("Gemm", [x, this.parameter(a, [rank, widthOf(x)])], { transB: 1 }); // (rows, rank)
    return this.g.op("Gemm", [inner, this.parameter(b, [width, rank])], { transB: 1, alpha: alpha / rank });
  }
}
