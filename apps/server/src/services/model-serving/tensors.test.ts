import { expect, test } from "vitest";
import { binaryOf, textsOf } from "./tensors.ts";

const input = (data: unknown[], shape = [data.length]) => [{ name: "text", shape, datatype: "BYTES", data }];

/** Length-prefixed elements, as the protocol's BYTES tensors are. */
function packed(...texts: string[]): Buffer {
  return binaryOf({ name: "text", shape: [texts.length], datatype: "BYTES", data: texts });
}

test("texts of a JSON tensor, nested or flat", () => {
  expect(textsOf(input(["a", "b"]), undefined)).toEqual(["a", "b"]);
  expect(textsOf(input([["a"], ["b"]], [2, 1]), undefined)).toEqual(["a", "b"]);
});

test("texts of a binary tensor keep every character", () => {
  const bytes = packed("héllo 😀", "", "\ufeffmark\0");
  const tensor = { name: "text", shape: [3], datatype: "BYTES", parameters: { binary_data_size: bytes.byteLength } };
  expect(textsOf([tensor], bytes)).toEqual(["héllo 😀", "", "\ufeffmark\0"]);
});

test("what does not fit is refused by name", () => {
  expect(() => textsOf(input(["a"], [2]), undefined)).toThrow("shape");
  expect(() => textsOf(input([1]), undefined)).toThrow("data[0]");
  expect(() => textsOf([{ name: "x", shape: [1], datatype: "BYTES", data: ["a"] }], undefined)).toThrow("text");
  expect(() => textsOf([...input(["a"]), ...input(["b"])], undefined)).toThrow("one input");
  const bytes = packed("abc");
  const tensor = (size: number) => [
    { name: "text", shape: [1], datatype: "BYTES", parameters: { binary_data_size: size } },
  ];
  expect(() => textsOf(tensor(3), bytes)).toThrow("binary_data_size");
  expect(() => textsOf(tensor(6), bytes.subarray(0, 6))).toThrow("ends inside");
  const invalid = Buffer.from([1, 0, 0, 0, 0xff]);
  expect(() => textsOf(tensor(5), invalid)).toThrow("UTF-8");
});

test("scores are little-endian floats", () => {
  const bytes = binaryOf({ name: "score", shape: [2], datatype: "FP32", data: [0.5, 1] });
  expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([0.5, 1]);
});
