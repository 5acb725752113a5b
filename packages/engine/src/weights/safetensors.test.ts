import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EngineError } from "../error.ts";
import { float16ToNumber, numberToFloat16 } from "./half.ts";
import { encodeSafetensors, parseSafetensors } from "./safetensors.ts";
import { readSafetensors, writeSafetensors } from "./safetensors-file.ts";

const fileOf = (header: unknown, data = new Uint8Array(0)): Uint8Array => {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + data.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  out.set(data, 8 + json.length);
  return out;
};

test("what is written is read, whatever the names, shapes and types", () => {
  const tensor = fc.record({
    name: fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__"),
    dtype: fc.constantFrom("F32", "F16", "BF16", "I8", "U8", "I64", "I32"),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
  });
  const sizes = { F32: 4, F16: 2, BF16: 2, I8: 1, U8: 1, I64: 8, I32: 4 };
  fc.assert(
    fc.property(
      fc.uniqueArray(tensor, { selector: ({ name }) => name.toWellFormed(), maxLength: 6 }),
      fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
      (list, metadata) => {
        const tensors = list.map(({ name, dtype, shape }, i) => {
          const bytes = shape.reduce((a, b) => a * b, 1) * sizes[dtype];
          return { name, dtype, shape, data: Uint8Array.from({ length: bytes }, (_, j) => (i * 31 + j * 7) & 255) };
        });
        const bytes = encodeSafetensors(tensors, metadata);
        const file = parseSafetensors(bytes);
        expect(file.tensors.size).toBe(tensors.length);
        expect(file.metadata).toEqual(metadata);
        for (const { name, dtype, shape, data } of tensors) {
          const read = file.tensors.get(name.toWellFormed()) ?? file.tensors.get(name);
          expect(read).toMatchObject({ dtype, shape });
          expect(Buffer.from(read?.bytes ?? [1]).equals(data)).toBe(true);
          const place = file.offsets.get(name);
          expect(bytes.subarray(place?.offset, (place?.offset ?? 0) + (place?.length ?? 0))).toEqual(data);
          expect(read?.toFloat32()).toHaveLength(shape.reduce((a, b) => a * b, 1));
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("random bytes are refused as WEIGHTS, never otherwise", () => {
  const check = (bytes: Uint8Array): void => {
    try {
      parseSafetensors(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(EngineError);
      expect((error as EngineError).code).toBe("WEIGHTS");
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), check));
  fc.assert(fc.property(fc.json(), fc.uint8Array({ maxLength: 16 }), (json, data) => check(fileOf(json, data))));
  const good = encodeSafetensors([{ name: "w", dtype: "F32", shape: [2], data: Float32Array.of(1, 2) }]);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
      const bytes = good.slice();
      bytes[at] = value;
      check(bytes);
    }),
  );
});

test.each([
  [
    "overlap",
    { a: { dtype: "U8", shape: [2], data_offsets: [0, 2] }, b: { dtype: "U8", shape: [2], data_offsets: [1, 3] } },
    3,
  ],
  ["hole", { a: { dtype: "U8", shape: [1], data_offsets: [1, 2] } }, 2],
  ["rest", { a: { dtype: "U8", shape: [1], data_offsets: [0, 1] } }, 2],
  ["outside", { a: { dtype: "U8", shape: [9], data_offsets: [0, 9] } }, 2],
  ["shape and bytes differ", { a: { dtype: "F32", shape: [2], data_offsets: [0, 4] } }, 4],
  ["negative size", { a: { dtype: "U8", shape: [-1, -1], data_offsets: [0, 1] } }, 1],
  ["huge shape", { a: { dtype: "U8", shape: [2 ** 40, 2 ** 40], data_offsets: [0, 0] } }, 0],
  ["unknown type", { a: { dtype: "F8_E4M3", shape: [1], data_offsets: [0, 1] } }, 1],
  ["inherited type name", { a: { dtype: "toString", shape: [1], data_offsets: [0, 1] } }, 1],
  ["metadata of numbers", { __metadata__: { a: 1 } }, 0],
])("refuses: %s", (_name, header, bytes) => {
  expect(() => parseSafetensors(fileOf(header, new Uint8Array(bytes)))).toThrow(EngineError);
});

test("reads unaligned data and every type as float32", () => {
  const header = {
    pad: { dtype: "U8", shape: [1], data_offsets: [0, 1] },
    b: { dtype: "BF16", shape: [2], data_offsets: [1, 5] },
    i: { dtype: "I64", shape: [1], data_offsets: [5, 13] },
  };
  const data = Uint8Array.of(9, 0x80, 0x3f, 0x20, 0xc0, 254, 255, 255, 255, 255, 255, 255, 255);
  const { tensors } = parseSafetensors(fileOf(header, data));
  expect(tensors.get("b")?.toFloat32()).toEqual(Float32Array.of(1, -2.5));
  expect(tensors.get("i")?.toFloat32()).toEqual(Float32Array.of(-2));
});

test("every float16 survives the round trip, and numbers go to the nearest", () => {
  for (let half = 0; half < 65_536; half++) {
    const value = float16ToNumber(half);
    if (Number.isNaN(value)) expect(float16ToNumber(numberToFloat16(value))).toBeNaN();
    else if (numberToFloat16(value) !== half) expect.fail(`float16 ${half}`);
  }
  expect(numberToFloat16(65_519)).toBe(0x7bff);
  expect(numberToFloat16(65_520)).toBe(0x7c00);
  expect(numberToFloat16(2 ** -25)).toBe(0); // tie to even
  expect(numberToFloat16(1.5 * 2 ** -25)).toBe(1);
  expect(numberToFloat16(1 + 2 ** -11)).toBe(0x3c00);
});

test("writes atomically and leaves no temporary file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mlsec-weights-"));
  try {
    const path = join(folder, "w.safetensors");
    const data = Float32Array.of(1, 0.5, -2);
    await writeSafetensors(path, [{ name: "w", dtype: "F16", shape: [3], data }], { format: "pt" });
    const file = await readSafetensors(path);
    expect(file.tensors.get("w")?.toFloat32()).toEqual(data);
    expect(file.metadata).toEqual({ format: "pt" });
    const before = await readFile(path);
    const broken = writeSafetensors(path, [{ name: "w", dtype: "F32", shape: [9], data }]);
    await expect(broken).rejects.toThrow(EngineError);
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(folder)).toEqual(["w.safetensors"]);
    await expect(readSafetensors(join(folder, "none"))).rejects.toThrow(EngineError);
  } finally {
    await rm(folder, { recursive: true });
  }
});
