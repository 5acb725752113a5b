import { expect, test } from "vitest";
import { parseFilter, parseOrder } from "./filter.ts";

test("comparisons joined by AND", () => {
  expect(parseFilter(`attributes.status = 'FINISHED' and metrics.f1 > 0.5 AND params."my key" != 'y'`)).toEqual([
    { entity: "attribute", key: "status", operator: "=", values: ["FINISHED"] },
    { entity: "metric", key: "f1", operator: ">", values: [0.5] },
    { entity: "param", key: "my key", operator: "!=", values: ["y"] },
  ]);
});

test("bare names are attributes, dotted tag keys stay whole, quotes are undone", () => {
  expect(parseFilter("name='it\\'s'")).toEqual([{ entity: "attribute", key: "name", operator: "=", values: ["it's"] }]);
  expect(parseFilter("tags.mlflow.runName LIKE 'a%'")).toEqual([
    { entity: "tag", key: "mlflow.runName", operator: "like", values: ["a%"] },
  ]);
  expect(parseFilter("run_id IN ('a', 'b')")[0]?.values).toEqual(["a", "b"]);
  expect(parseFilter("tags.`x y` IS NOT NULL")[0]).toEqual({
    entity: "tag",
    key: "x y",
    operator: "is not null",
    values: [],
  });
  expect(parseFilter("  ")).toEqual([]);
});

test.each([
  "name = 'a' OR name = 'b'",
  "name =",
  "= 'a'",
  "name 'a'",
  "things.x = 1",
  "name = a",
  "name = 'a",
  "run_id IN 'a'",
  "name = 'a';",
])("refuses %s", (text) => expect(() => parseFilter(text)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" })));

test("orders", () => {
  expect(parseOrder("metrics.f1 DESC")).toEqual({ entity: "metric", key: "f1", descending: true });
  expect(parseOrder("start_time")).toEqual({ entity: "attribute", key: "start_time", descending: false });
  expect(() => parseOrder("start_time sideways")).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
});
