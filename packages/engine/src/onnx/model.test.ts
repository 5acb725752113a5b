import * as ort from "onnxruntime-node";
import protobuf from "protobufjs";
import { expect, test } from "vitest";
import { encodeModel, type OnnxGraph } from "./model.ts";
import { ProtoMessage } from "./protobuf.ts";

const affine: OnnxGraph = {
  name: "affine",
  inputs: [{ name: "x", type: "float32", dims: ["rows", 2] }],
  outputs: [{ name: "y", type: "float32", dims: ["rows", 2] }],
  initializers: [
    { name: "w", type: "float32", dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
    { name: "b", type: "float32", dims: [2], data: Float32Array.of(10, 20) },
  ],
  nodes: [
    { op: "Gemm", inputs: ["x", "w", "b"], outputs: ["g"], attributes: { transB: 1, alpha: { float: 0.5 } } },
    { op: "Gelu", domain: "com.microsoft", inputs: ["g"], outputs: ["h"], name: "act" },
    { op: "Transpose", inputs: ["h"], outputs: ["y"], attributes: { perm: { ints: [0, 1] } } },
  ],
};

test("ONNX Runtime loads and runs an encoded model", async () => {
  const session = await ort.InferenceSession.create(encodeModel(affine));
  const { y } = await session.run({ x: new ort.Tensor("float32", Float32Array.of(1, 1, 2, 0), [2, 2]) });
  expect(y?.dims).toEqual([2, 2]);
  const gelu = [11.5, 23.5, 11, 23];
  gelu.forEach((value, i) => expect(Number(y?.data[i])).toBeCloseTo(value, 4));
  await session.release();
});

test("the writer agrees with protobufjs", () => {
  const { root } = protobuf.parse(
    'syntax = "proto3"; message M { int64 a = 1; float f = 2; string s = 3; bytes d = 20; M m = 4; repeated M r = 5; }',
  );
  const nested = new ProtoMessage().int(1, -1).bytes(20, new Uint8Array(300).fill(7));
  const bytes = new ProtoMessage()
    .int(1, 2 ** 40)
    .float(2, 0.25)
    .string(3, "né")
    .message(4, nested)
    .message(5, nested)
    .message(5, nested)
    .finish();
  const decoded = root.lookupType("M").toObject(root.lookupType("M").decode(bytes), { longs: Number });
  expect(decoded).toMatchObject({ a: 2 ** 40, f: 0.25, s: "né", m: { a: -1 } });
  expect(decoded["r"]).toHaveLength(2);
  expect(decoded["m"]["d"]).toHaveLength(300);
});
