import { expect, test } from "vitest";
import { describeModel } from "./registry.ts";

/** What config.json of microsoft/deberta-v3-base says, in the form of its time. */
const base = {
  model_type: "deberta-v2",
  hidden_act: "gelu",
  hidden_size: 768,
  intermediate_size: 3072,
  layer_norm_eps: 1e-7,
  max_position_embeddings: 512,
  max_relative_positions: -1,
  norm_rel_ebd: "layer_norm",
  num_attention_heads: 12,
  num_hidden_layers: 12,
  pos_att_type: "p2c|c2p",
  position_biased_input: false,
  position_buckets: 256,
  relative_attention: true,
  share_att_key: true,
  type_vocab_size: 0,
  vocab_size: 128100,
};

test("reads deberta-v3-base and knows its weights", () => {
  const { architecture, config } = describeModel(base);
  expect(config).toMatchObject({
    ...{ hasPositions: false, tokenTypes: 0, maxTokens: 512, buckets: 256, maxDistance: 512, kernel: 0 },
    ...{ relative: { keys: true, queries: true }, sharesProjections: true, normsRelative: true, embedding: 768 },
  });
  const shapes = new Map(architecture.parameters(config).map(({ name, shape }) => [name, shape]));
  expect(shapes.get("deberta.encoder.rel_embeddings.weight")).toEqual([512, 768]);
  expect(shapes.has("deberta.embeddings.position_embeddings.weight")).toBe(false);
  expect([...shapes.keys()].filter((name) => name.includes("pos_"))).toEqual([]);
  expect(describeModel({ ...base, pos_att_type: ["c2p", "p2c"] }).config).toEqual(config);
});

test("without shared projections each kind of relative position has its own", () => {
  const { architecture, config } = describeModel({ ...base, share_att_key: false, pos_att_type: "p2c" });
  const names = architecture.parameters(config).map(({ name }) => name);
  expect(names).toContain("deberta.encoder.layer.3.attention.self.pos_query_proj.weight");
  expect(names.some((name) => name.includes("pos_key_proj"))).toBe(false);
});

test.each([
  [{ pos_att_type: "c2p|p2p" }, /pos_att_type/],
  [{ attention_head_size: 32 }, /attention_head_size/],
  [{ pooler_hidden_size: 512 }, /pooler_hidden_size/],
  [{ conv_kernel_size: 4 }, /conv_kernel_size/],
  [{ conv_kernel_size: 3, conv_groups: 2 }, /conv_groups/],
])("%j is refused by name", (change, message) => {
  expect(() => describeModel({ ...base, ...change })).toThrow(message);
});
