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
  const made = sites.map((site) => {
    const [out, width] = site.shape;
    const room = { rows: arena.bytes(out * width), columns: arena.bytes(out * width) };
    return { site, ...room, rowScales: arena.floats(out), columnScales: arena.floats(width) };
  });
  const quantise = (chosen: typeof made): void => {
    for (const { site, rows, rowScales, columns, columnScales } of chosen) {
      const data = parameters.get(site.weight)?.data;
      if (data === undefined) continue;
      arena.rowsToInt8(data, rows, rowScales);
      arena.columnsToInt8(data, columns, columnScales);
    }
  };
  quantise(made);
  const changing = made.filter(({ site }) => isTrainable(site.weight));
  const feeds = made.flatMap(({ site, rows, rowScales, columns, columnScales }): [string, ort.Tensor][] => [
    [site.rows, new ort.Tensor("int8", rows, site.shape)],
    [site.columns, new ort.Tensor("int8", columns, site.shape)],
    [site.rowScales, new ort.Tensor("float32", rowScales, [rowScales.length])],
    [site.columnScales, new ort.Tensor("float32", columnScales, [columnScales.length])],
  ]);
  return { feeds: Object.fromEntries(feeds), refresh: () => quantise(changing) };
}
