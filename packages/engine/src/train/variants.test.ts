// Settings that no reference model has: the training graph and the serving graph must still say the same.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSession } from "../infer/session.ts";
import { describeModel } from "../models/registry.ts";
import { createRandom } from "../tensor/random.ts";
import { references } from "../testing/references.ts";
import { padBatch } from "./batch.ts";
import { openEncoder } from "./encoder.ts";
import { freshParameters, saveParameters } from "./parameters.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlsec-variants-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  ["modernbert", { classifier_pooling: "cls", attention_bias: true, mlp_bias: true, norm_bias: true }],
  ["modernbert", { classifier_pooling: "cls", classifier_bias: true, layer_types: null }],
  ["gpt2", { scale_attn_by_inverse_layer_idx: true, scale_attn_weights: false, n_inner: null }],
  ["electra", { embedding_size: 48 }],
  ["mpnet", { num_hidden_layers: 1 }],
  ["deberta-v2", { embedding_size: 20, pos_att_type: "p2c", conv_kernel_size: 5, conv_act: "tanh" }],
  ["deberta-v2", { num_hidden_layers: 1, type_vocab_size: 0, position_buckets: 6, max_relative_positions: 20 }],
  ["deberta-v2", { relative_attention: false, conv_kernel_size: 0, pos_att_type: null }],
  ["deberta-v3", { pos_att_type: "c2p", norm_rel_ebd: "none", share_att_key: false, num_hidden_layers: 1 }],
  ["t5", { feed_forward_proj: "gated-gelu", d_kv: 7, num_decoder_layers: 1 }],
] as const)("%s with %j", async (name, more) => {
  const json = JSON.parse(await readFile(join(references, name, "config.json"), "utf8"));
  const model = describeModel({ ...json, ...more, initializer_range: 0.2 });
  const random = createRandom(7);
  const parameters = freshParameters(model, 7);
  for (const { spec, data } of parameters.values()) {
    if (spec.fresh === "zeros") for (let i = 0; i < data.length; i++) data[i] = 0.2 * random.normal();
  }
  await saveParameters(folder, parameters, "F32");
  await writeFile(join(folder, "config.json"), JSON.stringify(model.architecture.writeConfig(model.config)));
  const rows = [30, 7, 1].map((length) => Int32Array.from({ length }, () => 5 + random.integer(900)));

  const rates = { hidden: 0, attention: 0, head: 0 };
  const sessions = await openEncoder(model, parameters, { rates, isTrainable: () => true, threads: 1 });
  const trained = await sessions.logits(padBatch(rows, [0, 1, 2], model.config.padId));
  await sessions.release();
  const serving = await createSession(folder, { precision: "fp32", threads: 1 });
  const served = (await Promise.all(rows.map((row) => serving.run([row])))).flatMap(([logits]) => [...(logits ?? [])]);
  await serving.release();
  expect(Math.max(...served.map(Math.abs))).toBeGreaterThan(0.05);
  for (const [i, value] of served.entries()) expect(trained[i]).toBeCloseTo(value, 4);
});
