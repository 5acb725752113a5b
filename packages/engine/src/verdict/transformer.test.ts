import { join } from "node:path";
import { expect, test } from "vitest";
import { references } from "../testing/references.ts";
import { createSession } from "../infer/session.ts";
import { loadTokenizer } from "../tokenizers/folder.ts";
import { transformerScorer } from "./transformer.ts";

test("an empty text has a verdict even where the tokenizer adds no specials", async () => {
  const folder = join(references, "gpt2");
  const parts = { tokenizer: await loadTokenizer(folder), session: await createSession(folder, { precision: "fp32" }) };
  const scorer = transformerScorer(parts, { windowTokens: 64, overlapTokens: 8 });
  const { pieces, tokens } = scorer.cut("");
  expect([tokens, pieces.length]).toEqual([0, 1]);
  const [logits = []] = await scorer.score(pieces);
  expect(logits).toHaveLength(5);
  expect(Array.from(logits).every(Number.isFinite)).toBe(true);
  await scorer.release();
});
