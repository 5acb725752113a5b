import fc from "fast-check";
import { expect, test } from "vitest";
import { setting } from "./commands/train.ts";
import { inChunks, inputTexts, jsonRow } from "./input.ts";
import { oneLine } from "./terminal.ts";

test("a JSONL row keeps its id, and what is wrong is named with its row", () => {
  expect(jsonRow('{"text":"a","id":7}', 1)).toEqual({ text: "a", id: "7" });
  expect(jsonRow('{"txt":"a"}', 3).error).toBe('row 3: "text" must be a string');
  expect(jsonRow("{", 4).error).toBe("row 4: not JSON");
});

test("chunks keep order and bounds", async () => {
  const texts = Array.from({ length: 150 }, (_, i) => "x".repeat(i));
  const chunks = await Array.fromAsync(inChunks(inputTexts({ texts }), 64, 2000));
  expect(chunks.flat().map((c) => c.text)).toEqual(texts);
  for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(64);
});

test("a judged text cannot command the terminal", () => {
  expect(oneLine("a\u001b[2Jb\u0007\nc\u202ed", 40)).toBe("ab c d");
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => !/[\p{Cc}]/u.test(oneLine(text, 50))));
});

test("settings become numbers and booleans where they are", () => {
  expect(setting("lr=3e-5")).toEqual(["lr", 3e-5]);
  expect(setting("early_stopping")).toEqual(["early_stopping", true]);
  expect(setting("metric_for_best_model=f1")).toEqual(["metric_for_best_model", "f1"]);
});
