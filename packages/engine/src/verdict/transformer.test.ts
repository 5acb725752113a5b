import { join } from "node:path";
import { expect, test } from "vitest";
import { references } from "../testing/references.ts";
import { openTransformer } from "./transformer.ts";

test("an empty text has a verdict even where the tokenizer adds no specials", async () => {
  const folder = join(references, "gpt2");
  const scorer = await openTransformer(folder, { precision: "fp32", windowTokens: 64, overlapTokens: 8 });
  const { pieces, tokens } = scorer.cut("");
  expect([tokens, pieces.length]).toEqual([0, 1]);
  const [logits = []] = await scorer.score(pieces);
  expect(logits).toHaveLength(5);
  expect(Array.from(logits).every(Number.isFinite)).toBe(true);
  await scorer.release();
});
