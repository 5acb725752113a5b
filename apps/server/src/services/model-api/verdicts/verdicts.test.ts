import { AppError } from "@mlsec/contracts";
import { expect, test } from "vitest";
import { createAdmission } from "./admission.ts";
import { itemsOf } from "./batch.ts";
import { distinct, memberWeights } from "./ensemble.ts";
import { piecesOf, without } from "./explain.ts";

test("admission refuses beyond its limit, but never a request that is alone", () => {
  const admission = createAdmission(3);
  const long = admission.enter(["x".repeat(9_000)]);
  expect(admission.waiting).toBe(10);
  expect(() => admission.enter(["a"])).toThrow(AppError);
  long.leave();
  const few = admission.enter(["a", "b"]);
  admission.enter(["c"]).leave();
  expect(() => admission.enter(["c", "d"])).toThrow("try again");
  few.leave();
  expect(admission.waiting).toBe(0);
});

test("the shapes of a batch, and what is no item", () => {
  expect(itemsOf(["a", { text: "b", id: "7", model_name: "linear" }], "distilbert")).toEqual([
    { text: "a", model: "distilbert" },
    { text: "b", id: "7", model: "linear" },
  ]);
  expect(itemsOf({ texts: ["a"], model_name: "linear" }, "distilbert")).toEqual([{ text: "a", model: "linear" }]);
  for (const bad of [1, null, [], {}, { text: 1 }, { text: "a", extra: 1 }, { text: "a", model_name: "a b" }])
    expect(itemsOf([bad], "distilbert")[0]).toMatchObject({ error: { code: "INVALID_INPUT" } });
});

test("weights are normalised, follow any spelling, and must belong to a member", () => {
  expect(memberWeights(["distilbert_trained", "linear"])).toEqual({ distilbert_trained: 0.5, linear: 0.5 });
  expect(memberWeights(["distilbert_trained", "linear"], { distilbert: 3, linear: 1 })).toEqual({
    distilbert_trained: 0.75,
    linear: 0.25,
  });
  expect(() => memberWeights(["distilbert"], { linaer: 1 })).toThrow("model_weights.linaer");
  expect(() => memberWeights(["distilbert"], { distilbert: 0 })).toThrow("zero");
});

test("a model named twice is one member", () => {
  expect(distinct(["distilbert_trained", "linear", "distilbert"])).toEqual(["distilbert_trained", "linear"]);
});

test("pieces are words, joined when there are too many", () => {
  expect(piecesOf("  a bc\nd ").map(({ text, start, end }) => [text, start, end])).toEqual([
    ["a", 2, 3],
    ["bc", 4, 6],
    ["d", 7, 8],
  ]);
  const many = "w ".repeat(500);
  const pieces = piecesOf(many);
  expect(pieces.length).toBeLessThanOrEqual(128);
  expect(pieces.at(-1)?.end).toBe(999);
  expect(piecesOf("")).toEqual([]);
  const [first] = piecesOf("a b");
  expect(first && without("a b", first)).toBe(" b");
});
