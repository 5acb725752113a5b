/** Names of weights: the files of a detector, and the tensors of a checkpoint. */

/** File names of a detector's weights. */
export const weightFiles = { fp32: "model.safetensors", int8: "model.int8.safetensors" } as const;

/**
 * The name a checkpoint has for a parameter: checkpoints of a bare encoder leave out the model prefix; the oldest call
 * norm weights gamma and beta.
 * @returns undefined when it has none
 * @example
 * weightName(new Set(["embeddings.LayerNorm.gamma"]), "bert.embeddings.LayerNorm.weight"); // "embeddings.LayerNorm.gamma"
 */
export function weightName(known: { has(name: string): boolean }, name: string): string | undefined {
  const bare = name.slice(name.indexOf(".") + 1);
  const old = (key: string): string =>
    key.replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(/LayerNorm\.bias$/, "LayerNorm.beta");
  return [name, old(name), bare, old(bare)].find((candidate) => known.has(candidate));
}
