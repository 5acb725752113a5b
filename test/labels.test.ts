// The five labels stand in three places, because packages do not import each other for one constant. They must not differ.
import { labels as wire } from "@mlsec/contracts";
import { defaultTrainConfig, labels as engine } from "@mlsec/engine";
import { expect, test } from "vitest";

test("the labels are the same everywhere, in the same order", () => {
  expect(engine).toEqual(wire);
  expect(defaultTrainConfig.labels).toEqual(wire);
});
