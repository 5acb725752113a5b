import { expect, test } from "vitest";
import { describeModel } from "./registry.ts";

const small = { model_type: "t5", vocab_size: 32, d_model: 10, d_ff: 16, num_layers: 1, num_heads: 4, d_kv: 3 };

test("heads may be wider or narrower than the model's width over their number", () => {
  const { architecture, config } = describeModel(small);
  expect(config).toMatchObject({ hidden: 10, heads: 4, headWidth: 3 });
  const shapes = new Map(architecture.parameters(config).map(({ name, shape }) => [name, shape]));
  expect(shapes.get("transformer.encoder.block.0.layer.0.SelfAttention.q.weight")).toEqual([12, 10]);
  expect(shapes.get("transformer.decoder.block.0.layer.1.EncDecAttention.o.weight")).toEqual([10, 12]);
});

test("feed-forward layers: plain, gated, and what is not supported", () => {
  expect(describeModel(small).config).toMatchObject({ activation: "relu", isGated: false });
  const gated = describeModel({ ...small, feed_forward_proj: "gated-gelu" });
  expect(gated.config).toMatchObject({ activation: "gelu_new", isGated: true });
  const names = gated.architecture.parameters(gated.config).map(({ name }) => name);
  expect(names).toContain("transformer.encoder.block.0.layer.1.DenseReluDense.wi_1.weight");
  expect(describeModel(gated.architecture.writeConfig(gated.config)).config).toEqual(gated.config);
  expect(() => describeModel({ ...small, feed_forward_proj: "gated-silu" })).toThrow(/not supported/);
});
