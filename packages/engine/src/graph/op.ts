/** What an operator is: one object with its shape rule, ONNX form, gradient and test cases. */
import type { AttributeValue, Initializer, OnnxType } from "../onnx/model.ts";

/** A dimension: a number, or the name of one that is known only when the graph runs. */
export type Dim = number | string;

/** Dimensions, outermost first. */
export type Shape = readonly Dim[];

/** One tensor in a graph under construction. */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
  readonly type: OnnxType;
}

/** Static arguments of an operator call. */
export type Attributes = Readonly<Record<string, number | Shape>>;

/**
 * The names a graph knows. The registry `ops/registry.ts` must hold every one of them, and every definition its
 * gradient: a missing one of either does not compile.
 */
export type OpName =
  | "Add"
  | "BinaryCrossEntropy"
  | "CrossEntropy"
  | "FastGelu"
  | "FastGeluGrad"
  | "Gelu"
  | "GeluGrad"
  | "Gemm"
  | "LayerNorm"
  | "LayerNormGrad"
  | "LowGemm"
  | "LowGemmGrad"
  | "LowGradGemm"
  | "MatMul"
  | "Mul"
  | "Pad"
  | "PutFirst"
  | "ReduceSum"
  | "RelativeShift"
  | "RelativeShiftGrad"
  | "Relu"
  | "Reshape"
  | "RmsNorm"
  | "RmsNormGrad"
  | "Rotate"
  | "Scale"
  | "ShiftTokens"
  | "Sigmoid"
  | "Sign"
  | "Slice"
  | "Softmax"
  | "SoftmaxGrad"
  | "Sub"
  | "SumRows"
  | "TakeFirst"
  | "Tanh"
  | "Transpose";

/** Emits ONNX nodes; values are names here. */
export interface OnnxEmitter {
  /** Adds a node and returns the names of its outputs (one unless `outputs` says more). */
  node(
    op: string,
    inputs: readonly string[],
    options?: { domain?: string; attributes?: Record<string, AttributeValue>; outputs?: number },
  ): string[];
  /** A constant tensor under a name of its own, added once. */
  constant(initializer: Initializer): string;
  /** A float32 constant. */
  floats(values: readonly number[], dims: readonly number[]): string;
  /** A one-dimensional int64 constant. */
  ints(values: readonly number[]): string;
  /** An int64 tensor holding a shape, symbols resolved when the graph runs. */
  shape(shape: Shape): string;
}

/** What a gradient rule may do: call other operators by name. */
export interface GradientBuilder {
  /** Calls an operator and returns its first output. */
  op(name: OpName, inputs: readonly Value[], attributes?: Attributes): Value;
  /** Calls an operator and returns all outputs. */
  all(name: OpName, inputs: readonly Value[], attributes?: Attributes): readonly Value[];
  /** Sums out the dimensions along which `value` was broadcast from `shape`. */
  sumTo(value: Value, shape: Shape): Value;
}

/** The call that is being differentiated. */
interface GradientContext {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  /** Which inputs need a gradient; a rule may leave out the others. */
  readonly wants: readonly boolean[];
}

/**
 * Gradient of the loss by every input, from the gradient by the first output; `undefined` where none flows.
 * `"none"`: the operator appears only inside gradients or is flat everywhere, and differentiating it is an error.
 */
type GradientRule =
  | ((g: GradientBuilder, dy: Value, context: GradientContext) => readonly (Value | undefined)[])
  | "none";

/** One test case of an operator: inputs, attributes, the values expected of the first output. */
export interface OpCase {
  readonly inputs: readonly {
    readonly dims: readonly number[];
    readonly data: readonly number[];
    /** float32 by default. */
    readonly type?: "int8";
  }[];
  readonly attributes?: Attributes;
  readonly expected: readonly number[];
  /** Largest difference allowed; 5e-5 by default. Operators that round say more. */
  readonly tolerance?: number;
  /** Indices of inputs that take part in the finite-difference check; all by default. */
  readonly differentiate?: readonly number[];
}

/** One operator. */
export interface OpDefinition {
  /** Output shapes from input shapes. Throws EngineError SHAPE when they do not fit. */
  readonly shape: (inputs: readonly Shape[], attributes: Attributes) => readonly Shape[];
  /** Emits the nodes; returns one name per output. */
  readonly onnx: (
    g: OnnxEmitter,
    inputs: readonly string[],
    context: { readonly shapes: readonly Shape[]; readonly outputs: readonly Shape[]; readonly attributes: Attributes },
  ) => readonly string[];
  readonly grad: GradientRule;
  readonly cases: readonly OpCase[];
}

/**
 * Declares an operator; the identity function, there for its type.
 * @example
 * export const Tanh = defineOp({ shape: ([x]) => [x], onnx: (g, [x]) => g.node("Tanh", [x]), grad: …, cases: […] });
 */
export function defineOp(definition: OpDefinition): OpDefinition {
  return definition;
}
