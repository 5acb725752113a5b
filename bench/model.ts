/** A classifier folder for benches: the base encoder of models/minilm-l6 with a seeded head, fp32 and int8. */
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { labels, quantise, readSafetensors, seededRandom, writeSafetensors } from "../packages/engine/src/index.ts";

/** The base encoder that this project ships. */
export const baseModel = join(resolve(import.meta.dirname, ".."), "models", "minilm-l6");

/** Writes it; every engine reads the same weights, and speed does not depend on what they say. */
export async function writeSeededModel(folder: string): Promise<void> {
  const config = JSON.parse(await readFile(join(baseModel, "config.json"), "utf8"));
  const named = {
    ...config,
    architectures: ["DistilBertForSequenceClassification"],
    dtype: "float32",
    id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  };
  await writeFile(join(folder, "config.json"), JSON.stringify(named));
  for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
    await copyFile(join(baseModel, file), join(folder, file));
  }
  const { tensors } = await readSafetensors(join(baseModel, "model.safetensors"));
  const random = seededRandom(1);
  const noise = (count: number): Float32Array => Float32Array.from({ length: count }, () => (random() - 0.5) * 0.2);
  const { dim } = config as { dim: number };
  const encoder = [...tensors].map(([name, tensor]) => {
    const full = name.startsWith("distilbert.") ? name : `distilbert.${name}`;
    return { name: full, dtype: "F32" as const, shape: tensor.shape, data: tensor.toFloat32() };
  });
  const head = (name: string, out: number) => [
    { name: `${name}.weight`, dtype: "F32" as const, shape: [out, dim], data: noise(out * dim) },
    { name: `${name}.bias`, dtype: "F32" as const, shape: [out], data: noise(out) },
  ];
  const all = [...encoder, ...head("pre_classifier", dim), ...head("classifier", labels.length)];
  await writeSafetensors(join(folder, "model.safetensors"), all, { format: "pt" });
  await quantise(folder);
}
