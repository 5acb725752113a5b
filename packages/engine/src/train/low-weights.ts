/** The int8 forms of the weights that low-precision training multiplies with, made anew whenever the weights change. */
import * as ort from "onnxruntime-node";
import type { LowSite } from "../nn/training.ts";
import type { Parameters } from "./parameters.ts";

/** Tensors for a graph's inputs, over memory that `refresh` writes. */
export interface LowWeights {
  readonly feeds: Readonly<Record<string, ort.Tensor>>;
  /** Quantises the weights that train again. */
  refresh(): void;
}

/** Makes room beside the parameters and fills it. Weights that are not `isTrainable` are quantised once. */
export function createLowWeights(
  parameters: Parameters,
  sites: readonly LowSite[],
  isTrainable: (name: string) => boolean,
): LowWeights {
  const { arena } = parameters;
  const feeds: Record<string, ort.Tensor> = {};
  const made = sites.flatMap(({ weight, shape, rows, rowScales, columns, columnScales }) => {
    const data = parameters.get(weight)?.data;
    const [out, width] = shape;
    const form = (name: string, scaleName: string, quantise: "rowsToInt8" | "columnsToInt8") => {
      const values = arena.bytes(out * width);
      const scales = arena.floats(quantise === "rowsToInt8" ? out : width);
      feeds[name] = new ort.Tensor("int8", values, shape);
      feeds[scaleName] = new ort.Tensor("float32", scales, [scales.length]);
      return { weight, run: () => data && arena[quantise](data, values, scales) };
    };
    return [
      form(columns, columnScales, "columnsToInt8"),
      ...(rows === undefined || rowScales === undefined ? [] : [form(rows, rowScales, "rowsToInt8")]),
    ];
  });
  for (const { run } of made) run();
  const changing = made.filter(({ weight }) => isTrainable(weight));
  return {
    feeds,
    refresh: () => {
      for (const { run } of changing) run();
    },
  };
}
