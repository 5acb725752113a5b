// Every architecture against the outputs of its original implementations: the folders of fixtures/parity.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { referenceFolders, references } from "../testing/references.ts";
import type { WeightTensor } from "../weights/safetensors.ts";
import { readSafetensors, writeSafetensors } from "../weights/safetensors-file.ts";
import { compareWithReference, referenceLimits } from "./parity.ts";

test.each(referenceFolders)("%s agrees with its original implementation", async (name) => {
  const report = await compareWithReference(join(references, name));
  expect(report).toMatchObject({ differingIds: 0, differingOffsets: 0, agrees: true });
  expect(report.texts).toBeGreaterThan(20);
  for (const figure of ["logits", "gradients", "losses"] as const) {
    expect(report[figure]).toBeGreaterThan(0); // something was compared
    expect(report[figure]).toBeLessThanOrEqual(referenceLimits[figure]);
  }
});

interface Outputs {
  readonly texts: [Text, Text, ...Text[]];
  readonly batch: { readonly attention_mask: [[number, ...number[]]] };
}
interface Text {
  readonly input_ids: number[];
  readonly offsets: [[number, number], [number, number]];
  full_length: number;
}

describe("a damaged copy", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mlsec-parity-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const copy = async (name: string): Promise<string> => {
    const to = join(folder, name);
    await cp(join(references, "distilbert"), to, { recursive: true });
    return to;
  };
  const edit = async (to: string, change: (json: Outputs) => void): Promise<void> => {
    const file = join(to, "expected.json");
    const json = JSON.parse(await readFile(file, "utf8"));
    change(json);
    await writeFile(file, JSON.stringify(json));
  };
  const editTensor = async (file: string, name: string, change: (data: Float32Array) => void): Promise<void> => {
    const { tensors } = await readSafetensors(file);
    const out = [...tensors].map(([key, { shape, toFloat32 }]: [string, WeightTensor]) => {
      const data = toFloat32();
      if (key === name) change(data);
      return { name: key, dtype: "F32" as const, shape, data };
    });
    await writeSafetensors(file, out, {});
  };

  test("of tokens is counted", async () => {
    const to = await copy("tokens");
    await edit(to, ({ texts: [first, second] }) => {
      first.input_ids[2] = 0;
      second.offsets[1][1] += 1;
      second.full_length += 2;
    });
    expect(await compareWithReference(to)).toMatchObject({ differingIds: 3, differingOffsets: 1, agrees: false });
  });

  test("of weights shows in the logits and the losses", async () => {
    const to = await copy("weights");
    await editTensor(join(to, "model.safetensors"), "classifier.bias", (data) => (data[0] = (data[0] ?? 0) + 0.01));
    const report = await compareWithReference(to);
    expect(report.agrees).toBe(false);
    expect(report.logits).toBeCloseTo(0.01, 4);
    expect(report.losses).toBeGreaterThan(referenceLimits.losses);
  });

  test("of a gradient names its parameter", async () => {
    const to = await copy("gradients");
    await editTensor(join(to, "gradients.safetensors"), "pre_classifier.weight", (data) => {
      for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) * 1.01;
    });
    const report = await compareWithReference(to);
    expect(report).toMatchObject({ worstGradient: "pre_classifier.weight", agrees: false });
    expect(report.gradients).toBeCloseTo(0.01, 3);
  });

  test("that is no reference folder says what is wrong", async () => {
    const to = await copy("parts");
    await edit(to, (json) => (json.batch.attention_mask[0][0] = 0));
    await expect(compareWithReference(to)).rejects.toThrow(/batch\.attention_mask .* is not rows of ones, then zeros/);
    await rm(join(to, "expected.json"));
    await expect(compareWithReference(to)).rejects.toMatchObject({ code: "DATA" });
    const bare = await copy("bare");
    await rm(join(bare, "gradients.safetensors"));
    await expect(compareWithReference(bare)).rejects.toThrow(/gradients\.safetensors/);
    await expect(compareWithReference(join(folder, "nowhere"))).rejects.toThrow(/nowhere is no reference folder/);
  });
});
