/** A graph under construction: operators are called on values, gradients are added by reverse-mode differentiation. */
import { EngineError } from "../error.ts";
import type { AttributeValue, Initializer, OnnxGraph, OnnxNode, OnnxType, ValueInfo } from "../onnx/model.ts";
import type { Attributes, GradientBuilder, OnnxEmitter, OpDefinition, OpName, Shape, Value } from "./op.ts";

/** One operator call, kept so that it can be differentiated. */
interface Call {
  readonly op: OpName;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

/** A graph under construction. */
export interface Graph extends GradientBuilder {
  /** Declares an input that is given at every run. */
  input(name: string, type: OnnxType, shape: Shape): Value;
  /** A constant tensor, added once per name. */
  constant(initializer: Initializer): Value;
  /** A value made by nodes outside the registry; it has no gradient. `make` returns the name of its output. */
  emit(shape: Shape, make: (emitter: OnnxEmitter) => string): Value;
  /**
   * Gradients of a scalar by the given values, one each, in order.
   * @throws EngineError GRAPH when a value does not influence the scalar.
   */
  gradients(loss: Value, by: readonly Value[]): Value[];
  /** The ONNX form with the given values as outputs, under the given names. */
  toOnnx(name: string, outputs: Readonly<Record<string, Value>>): OnnxGraph;
}

/**
 * Creates an empty graph over a registry of operators.
 * @example
 * const g = createGraph(ops);
 * const x = g.input("x", "float32", ["rows", 4]);
 * const bytes = encodeModel(g.toOnnx("tanh", { y: g.op("Tanh", [x]) }));
 */
export function createGraph(ops: Readonly<Record<OpName, OpDefinition>>): Graph {
  const emitter = createEmitter();
  const calls: Call[] = [];

  const all = (name: OpName, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] => {
    const definition = ops[name];
    const shapes = inputs.map((input) => input.shape);
    const outputShapes = definition.shape(shapes, attributes);
    const names = definition.onnx(
      emitter,
      inputs.map((input) => input.name),
      { shapes, outputs: outputShapes, attributes },
    );
    const outputs = outputShapes.map((shape, i): Value => {
      const output = names[i];
      if (output === undefined) throw new EngineError("GRAPH", `${name}: output ${i} was not emitted`, { op: name });
      return { name: output, shape, type: "float32" };
    });
    calls.push({ op: name, inputs, outputs, attributes });
    return outputs;
  };
  const op = (name: OpName, inputs: readonly Value[], attributes: Attributes = {}): Value => {
    const [first] = all(name, inputs, attributes);
    if (first === undefined) throw new EngineError("GRAPH", `${name} has no output`, { op: name });
    return first;
  };
  const graph: Graph = {
    op,
    all,
    sumTo: (value, shape) => sumTo(graph, value, shape),
    input: (name, type, shape) => {
      emitter.inputs.push({ name, type, dims: shape });
      emitter.declareSymbols(name, shape);
      return { name, shape, type };
    },
    constant: (initializer) => {
      return { name: emitter.constant(initializer), shape: initializer.dims, type: initializer.type };
    },
    emit: (shape, make) => ({ name: make(emitter), shape, type: "float32" }),
    gradients: (loss, by) => differentiate(graph, ops, [...calls], { loss, by }),
    toOnnx: (name, outputs) => emitter.finish(name, outputs),
  };
  return graph;
}

/** Walks the calls backwards, asking each operator on a path from `by` to the loss for its gradient. */
function differentiate(
  g: Graph,
  ops: Readonly<Record<OpName, OpDefinition>>,
  calls: readonly Call[],
  target: { readonly loss: Value; readonly by: readonly Value[] },
): Value[] {
  const wanted = new Set(target.by.map((value) => value.name));
  for (const call of calls) {
    if (call.inputs.some((input) => wanted.has(input.name))) for (const out of call.outputs) wanted.add(out.name);
  }
  const gradientOf = new Map<string, Value>();
  gradientOf.set(target.loss.name, g.op("Scale", [target.loss], { factor: 0, offset: 1 }));
  for (const call of calls.toReversed()) {
    const [first] = call.outputs;
    const dy = first && gradientOf.get(first.name);
    const wants = call.inputs.map((input) => wanted.has(input.name));
    if (dy === undefined || !wants.includes(true)) continue;
    const rule = ops[call.op].grad;
    if (rule === "none") throw new EngineError("GRAPH", `${call.op} cannot be differentiated`, { op: call.op });
    const gradients = rule(g, dy, { ...call, wants });
    for (const [i, input] of call.inputs.entries()) {
      const gradient = gradients[i];
      if (gradient === undefined || !wants[i]) continue;
      const before = gradientOf.get(input.name);
      gradientOf.set(input.name, before === undefined ? gradient : g.op("Add", [before, gradient]));
    }
  }
  return target.by.map((value) => {
    const gradient = gradientOf.get(value.name);
    if (gradient === undefined) throw new EngineError("GRAPH", `the loss does not depend on ${value.name}`);
    return gradient;
  });
}

/** Sums a gradient over the dimensions along which its operand was broadcast. */
function sumTo(g: Graph, value: Value, shape: Shape): Value {
  const lead = value.shape.length - shape.length;
  const axes = value.shape.flatMap((dim, i) => (i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : []));
  if (axes.length === 0) return value;
  if (value.shape.length === 2 && shape.length === 1 && axes.length === 1 && axes[0] === 0)
    return g.op("SumRows", [value]);
  const summed = g.op("ReduceSum", [value], { axes });
  return summed.shape.length === shape.length && lead === 0 ? summed : g.op("Reshape", [summed], { shape });
}

interface Emitter extends OnnxEmitter {
  readonly inputs: ValueInfo[];
  declareSymbols(name: string, shape: Shape): void;
  finish(name: string, outputs: Readonly<Record<string, Value>>): OnnxGraph;
}

/** Collects nodes and constants; equal constants and shapes are emitted once. */
function createEmitter(): Emitter {
  const nodes: OnnxNode[] = [];
  const inputs: ValueInfo[] = [];
  const constants = new Map<string, Initializer>();
  const symbols = new Map<string, { readonly input: string; readonly axis: number }>();
  const shapes = new Map<string, string>();
  const constant = (key: string, make: (name: string) => Initializer): string => {
    const found = constants.get(key) ?? make(`c${constants.size}`);
    constants.set(key, found);
    return found.name;
  };
  const emitter: Emitter = {
    inputs,
    constant: (initializer) => constant(initializer.name, () => initializer),
    node: (op, nodeInputs, { domain, attributes, outputs = 1 } = {}) => {
      const names = Array.from({ length: outputs }, (_, i) => `n${nodes.length}_${i}`);
      nodes.push({
        op,
        inputs: nodeInputs,
        outputs: names,
        ...(domain && { domain }),
        ...(attributes && { attributes }),
      });
      return names;
    },
    floats: (values, dims) =>
      constant(`f${values.join()}:${dims.join()}`, (name) => {
        return { name, type: "float32", dims, data: Float32Array.from(values) };
      }),
    ints: (values) =>
      constant(`i${values.join()}`, (name) => {
        return { name, type: "int64", dims: [values.length], data: BigInt64Array.from(values, BigInt) };
      }),
    shape: (shape) => {
      const key = shape.join();
      const name = shapes.get(key) ?? emitShape(emitter, shape, symbols);
      shapes.set(key, name);
      return name;
    },
    declareSymbols: (input, shape) => {
      for (const [axis, dim] of shape.entries()) {
        if (typeof dim === "string" && !symbols.has(dim)) symbols.set(dim, { input, axis });
      }
    },
    finish: (name, outputs) => {
      const renamed = Object.entries(outputs).map(([output, value]): ValueInfo => {
        nodes.push({ op: "Identity", inputs: [value.name], outputs: [output] });
        return { name: output, type: value.type, dims: value.shape };
      });
      return { name, nodes, inputs, outputs: renamed, initializers: [...constants.values()] };
    },
  };
  return emitter;
}

/** A shape as an int64 tensor: symbols come from the inputs that carry them; one unknown symbol becomes -1. */
function emitShape(
  emitter: OnnxEmitter,
  shape: Shape,
  symbols: ReadonlyMap<string, { readonly input: string; readonly axis: number }>,
): string {
  if (shape.filter((dim) => typeof dim === "string" && !symbols.has(dim)).length > 1) {
    throw new EngineError("GRAPH", `shape has more than one unknown dimension: ${shape.join()}`, { got: shape });
  }
  const parts = shape.map((dim): string => {
    if (typeof dim === "number") return emitter.ints([dim]);
    const symbol = symbols.get(dim);
    if (symbol === undefined) return emitter.ints([-1]);
    const attributes: Record<string, AttributeValue> = { start: symbol.axis, end: symbol.axis + 1 };
    return emitter.node("Shape", [symbol.input], { attributes })[0] ?? "";
  });
  return emitter.node("Concat", parts, { attributes: { axis: 0 } })[0] ?? "";
}
