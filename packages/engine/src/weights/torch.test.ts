import { existsSync } from "node:fs";
import { cp, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EngineError } from "../error.ts";
import { readWeights, shardNames } from "./folder.ts";
import { opcodeName } from "./opcodes.ts";
import { encodeSafetensors } from "./safetensors.ts";
import { encodeTorch, type Member, tensorPickle, text, word, zip } from "./testing/torch-file.ts";
import { readTorch } from "./torch.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/weights");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mlsec-torch-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(
  members: readonly Member[] | Buffer,
  options: { zip64?: boolean; method?: number } = {},
): Promise<string> {
  const path = join(folder, `${crypto.randomUUID()}.bin`);
  const list = Array.isArray(members) ? members : [{ name: "a/data.pkl", data: members as Buffer }];
  await writeFile(path, zip(list, options));
  return path;
}
const numbers = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

const good = ["float32", "types", "views", "tied", "nested", "module", "protocol4", "old-plain", "old"];
test.each(good)("reads what torch wrote: %s", async (name) => {
  const all = JSON.parse(await readFile(join(fixtures, "expected.json"), "utf8")) as Record<
    string,
    Record<string, { shape: number[]; values: number[] }>
  >;
  const path = join(fixtures, `${name}.bin`);
  const { tensors, offsets } = await readTorch(path);
  expect([...tensors.keys()].sort()).toEqual(Object.keys(all[name] ?? {}).sort());
  const bytes = await readFile(path);
  for (const [key, { shape, values }] of Object.entries(all[name] ?? {})) {
    const tensor = tensors.get(key);
    expect(tensor?.shape, key).toEqual(shape);
    expect(tensor?.toFloat32(), key).toEqual(Float32Array.from(values));
    const place = offsets.get(key);
    if (place)
      expect(bytes.subarray(place.offset, place.offset + place.length)).toEqual(Buffer.from(tensor?.bytes ?? []));
  }
});

test("what the tests' own writer makes is read as what torch writes is", async () => {
  const path = join(folder, "own.bin");
  await writeFile(
    path,
    encodeTorch({
      "a.weight": { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      b: { shape: [1], data: Float32Array.of(5) },
    }),
  );
  const { tensors } = await readTorch(path);
  expect([...tensors].map(([name, { shape, toFloat32 }]) => [name, shape, [...toFloat32()]])).toEqual([
    ["a.weight", [2, 2], [1, 2, 3, 4]],
    ["b", [1], [5]],
  ]);
});

test("where the numbers lie is known unless a tensor jumps over some", async () => {
  const { offsets, tensors } = await readTorch(join(fixtures, "views.bin"));
  expect([...offsets.keys()]).toEqual(["whole"]);
  const tied = await readTorch(join(fixtures, "tied.bin"));
  expect(tied.offsets.get("embedding.weight")).toEqual(tied.offsets.get("decoder.weight"));
  expect(tensors.get("transposed")?.bytes).toHaveLength(4 * 24);
});

test("reads ZIP64 numbers and deflated members", async () => {
  const members = [
    { name: "a/data.pkl", data: tensorPickle(3) },
    { name: "a/data/0", data: numbers(1, 2, 3) },
  ];
  for (const path of [
    await fileOf(members, { zip64: true }),
    await fileOf(members.map((member) => ({ ...member, deflated: true }))),
  ]) {
    expect((await readTorch(path)).tensors.get("w")?.toFloat32()).toEqual(Float32Array.of(1, 2, 3));
  }
});

test("a pickled module and a pickle of something else are refused", async () => {
  await expect(readTorch(join(fixtures, "whole-model.bin"))).rejects.toThrow(/global "__main__ Tiny" is not allowed/);
  await expect(readTorch(join(folder, "none.bin"))).rejects.toThrow(EngineError);
  const path = join(folder, "plain.pkl");
  await writeFile(path, text("\x80\x02cos\nsystem\nX\x05\0\0\0touchtR."));
  await expect(readTorch(path)).rejects.toThrow(/a pickle, but not one of torch\.save/);
});

test("the form without a zip is as strict: in any of its pickles, and about its storages", async () => {
  const bytes = await readFile(join(fixtures, "old-plain.bin"));
  const beginning = bytes.subarray(0, 21);
  const system = Buffer.concat([text("\x80\x02}"), word("little_endian"), text("\x88s.")]);
  const evil = text("\x80\x02cposix\nsystem\n(X\x05\0\0\0touchtR.");
  const path = join(folder, "old.bin");
  const check = async (parts: readonly Uint8Array[], message: RegExp): Promise<void> => {
    await writeFile(path, Buffer.concat(parts));
    const error: unknown = await readTorch(path).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(EngineError);
    expect((error as EngineError).message).toMatch(message);
  };
  const refused = /global "posix system" is not allowed/;
  await check([beginning, evil], refused);
  await check([beginning, system, evil], refused);
  await check([beginning, system, text("\x80\x02}."), evil], refused);
  await check([beginning, Buffer.concat([text("\x80\x02}"), word("little_endian"), text("\x89s.")])], /little-endian/);
  const state = tensorPickle(3);
  const names = (...keys: string[]): Buffer => Buffer.concat([text("\x80\x02]("), ...keys.map(word), text("e.")]);
  const storage = Buffer.concat([Buffer.from(BigInt64Array.of(3n).buffer), numbers(1, 2, 3)]);
  await writeFile(path, Buffer.concat([beginning, system, state, names("0"), storage]));
  expect((await readTorch(path)).tensors.get("w")?.toFloat32()).toEqual(Float32Array.of(1, 2, 3));
  await check([beginning, system, state, names(), storage], /a storage is missing/);
  await check([beginning, system, state, names("0", "0"), storage, storage], /listed that no tensor uses/);
  await check([beginning, system, state, names("1"), storage], /listed that no tensor uses/);
  await check([beginning, system, state, names("0"), storage.subarray(0, 15)], /ends too early/);
  const wrong = Buffer.concat([Buffer.from(BigInt64Array.of(9n).buffer), numbers(1, 2, 3)]);
  await check([beginning, system, state, names("0"), wrong], /another size than stated/);
});

describe("malicious pickles are refused and have no effect", () => {
  const touched = (): string => join(folder, "touched");
  const cases: readonly [string, () => Buffer, RegExp][] = [
    [
      "os.system by REDUCE",
      () => text(`\x80\x02cos\nsystem\nX${"\x05\0\0\0"}touchtR.`),
      /global "os system" is not allowed/,
    ],
    ["eval by GLOBAL", () => text("\x80\x02c__builtin__\neval\n."), /global "__builtin__ eval" is not allowed/],
    [
      "exec by STACK_GLOBAL",
      () => Buffer.concat([text("\x80\x04"), word("builtins"), word("exec"), text("\x93.")]),
      /global "builtins exec" is not allowed/,
    ],
    ["a function of torch itself", () => text("\x80\x02ctorch.hub\nload\n."), /global "torch.hub load" is not allowed/],
    [
      "dotted attribute of an allowed module",
      () => text("\x80\x02ctorch._utils\n_rebuild_tensor_v2.__globals__\n."),
      /not allowed/,
    ],
    ["a global split over names", () => text("\x80\x02ctorch\nFloatStorage x\n."), /not allowed/],
    ["INST", () => text(`\x80\x02(S'touch ${touched()}'\nios\nsystem\n.`), /opcode STRING is not allowed/],
    ["INST alone", () => text("\x80\x02(ios\nsystem\n."), /opcode INST is not allowed/],
    ["OBJ", () => text("\x80\x02(o."), /opcode OBJ is not allowed/],
    ["NEWOBJ", () => text("\x80\x02)\x81."), /opcode NEWOBJ is not allowed/],
    ["EXT1", () => text("\x80\x02\x82\x01."), /opcode EXT1 is not allowed/],
    ["NEXT_BUFFER", () => text("\x80\x05\x97."), /opcode NEXT_BUFFER is not allowed/],
    [
      "BUILD that would call __setstate__",
      () => text("\x80\x02ctorch\nFloatStorage\n}b."),
      /BUILD is allowed on dictionaries only/,
    ],
    ["BUILD with a tuple", () => text("\x80\x02})b."), /BUILD is allowed on dictionaries only/],
    [
      "a storage class called",
      () => text("\x80\x02ctorch\nFloatStorage\n)R."),
      /call of torch FloatStorage is not allowed/,
    ],
    [
      "OrderedDict called with items",
      () => text("\x80\x02ccollections\nOrderedDict\n(K\x01tR."),
      /OrderedDict is not allowed/,
    ],
    ["a tensor as dictionary key", () => text("\x80\x02}})s."), /a key is neither text nor number/],
    ["memo without an entry", () => text("\x80\x02h\x07."), /the memo has no such entry/],
    ["empty stack", () => text("\x80\x02."), /a value is missing/],
    ["no end", () => text("\x80\x02}"), /ends too early/],
    ["a text longer than the file", () => text("\x80\x02X\xff\xff\xff\x7f."), /ends too early/],
    ["a long number", () => text(`\x80\x02\x8a\xff${"\x01".repeat(255)}.`), /a number is too long/],
    ["a list instead of tensors", () => text("\x80\x02]."), /holds no dictionary of tensors/],
    [
      "a text among the tensors",
      () => Buffer.concat([text("\x80\x02}"), word("a"), word("b"), text("s.")]),
      /an entry is no tensor/,
    ],
    ["containers without end", () => text(`\x80\x02${"}".repeat(300_000)}.`), /more than 200000 objects/],
    ["a persistent id of a file", () => text("\x80\x02(K\x01tQ."), /names no storage/],
  ];
  test.each(cases)("%s", async (_name, pickle, message) => {
    const error: unknown = await readTorch(await fileOf(pickle())).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(EngineError);
    expect((error as EngineError).code).toBe("WEIGHTS");
    expect((error as EngineError).message).toMatch(message);
    expect(existsSync(touched())).toBe(false);
  });

  test("doubling by the memo stays small: a value is a reference, not a copy", async () => {
    let bomb = "\x80\x02]q\x00";
    for (let i = 0; i < 60; i++)
      bomb += `](h${String.fromCharCode(i)}h${String.fromCharCode(i)}eq${String.fromCharCode(i + 1)}`;
    const before = process.memoryUsage().rss;
    await expect(readTorch(await fileOf(text(`${bomb}.`)))).rejects.toThrow(/values are left over|no dictionary/);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });
});

describe("tensors stay inside their storage", () => {
  const three = { name: "a/data/0", data: numbers(1, 2, 3) };
  const cases: readonly [string, Parameters<typeof tensorPickle>[1], RegExp][] = [
    ["longer than it", { shape: [4] }, /reaches beyond/],
    ["begins behind it", { offset: 3, shape: [1] }, /reaches beyond/],
    ["a stride leads out", { shape: [2], strides: [3] }, /reaches beyond/],
    ["products that overflow", { shape: [2 ** 40, 2 ** 40], strides: [0, 0] }, /reaches beyond/],
    ["a small storage repeated", { shape: [2 ** 30], strides: [0] }, /repeats its storage/],
    ["shape and strides differ", { shape: [1, 1], strides: [1] }, /whole numbers/],
    ["negative stride", { shape: [2], strides: [-1] }, /whole numbers/],
    ["other type than the size says", { type: "DoubleStorage" }, /another size than stated/],
    ["unknown storage", { type: "ComplexFloatStorage" }, /global "torch ComplexFloatStorage" is not allowed/],
  ];
  test.each(cases)("%s", async (_name, options, message) => {
    await expect(
      readTorch(await fileOf([{ name: "a/data.pkl", data: tensorPickle(3, options) }, three])),
    ).rejects.toThrow(message);
  });

  test("a broadcast view of a short axis is read", async () => {
    const path = await fileOf([
      { name: "a/data.pkl", data: tensorPickle(3, { shape: [2, 3], strides: [0, 1] }) },
      three,
    ]);
    expect((await readTorch(path)).tensors.get("w")?.toFloat32()).toEqual(Float32Array.of(1, 2, 3, 1, 2, 3));
  });
});

describe("archives that lie", () => {
  const pickle = { name: "a/data.pkl", data: tensorPickle(3) };
  const data = { name: "a/data/0", data: numbers(1, 2, 3) };
  test.each<[string, readonly Member[], { zip64?: boolean; method?: number }, RegExp]>([
    ["sizes beyond the file", [pickle, { ...data, claimed: 2 ** 31 }], {}, /overlap/],
    ["ZIP64 sizes beyond the file", [pickle, { ...data, claimed: 2 ** 52 }], { zip64: true }, /overlap/],
    ["unknown compression", [pickle, data], { method: 14 }, /compressed in a way that is not read/],
    ["two members of one name", [pickle, data, data], {}, /two members have one name/],
    ["no data.pkl", [data], {}, /does not hold one data\.pkl/],
    ["two data.pkl", [pickle, { ...pickle, name: "b/data.pkl" }, data], {}, /does not hold one data\.pkl/],
    ["big-endian", [pickle, data, { name: "a/byteorder", data: text("big") }], {}, /not little-endian/],
    ["no storage", [pickle], {}, /a storage is missing/],
    [
      "a bomb of zeros",
      [pickle, { name: "a/data/0", data: new Uint8Array(50_000_000), deflated: true }],
      {},
      /compressed too far/,
    ],
  ])("%s", async (_name, members, options, message) => {
    await expect(readTorch(await fileOf(members, options))).rejects.toThrow(message);
  });
});

test("cut off or with flipped bytes it is read or refused, never anything else, and stays small", async () => {
  const files = await Promise.all(good.map((name) => readFile(join(fixtures, `${name}.bin`))));
  const path = join(folder, "damaged.bin");
  const check = async (bytes: Uint8Array): Promise<void> => {
    await writeFile(path, bytes);
    try {
      for (const tensor of (await readTorch(path)).tensors.values()) {
        expect(tensor.toFloat32().length).toBeLessThanOrEqual(2 ** 20);
      }
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== "WEIGHTS") throw error;
    }
  };
  const before = process.memoryUsage().arrayBuffers;
  const file = fc.constantFrom(...files);
  await fc.assert(
    fc.asyncProperty(file, fc.nat(4000), (bytes, at) => check(bytes.subarray(0, at % bytes.length))),
    { numRuns: 300 },
  );
  const flips = fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(file, flips, (bytes, changes) => {
      const out = Uint8Array.from(bytes);
      for (const [at, value] of changes) out[at % out.length] = value;
      return check(out);
    }),
    { numRuns: 1500 },
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), (noise) => check(zip([{ name: "a/data.pkl", data: noise }]))),
    { numRuns: 300 },
  );
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200_000_000);
});

test("a folder's weights: safetensors first, then shards, then .bin", async () => {
  const own = await mkdtemp(join(folder, "model-"));
  await expect(readWeights(own)).rejects.toThrow(/holds no weights/);
  await cp(join(fixtures, "float32.bin"), join(own, "pytorch_model.bin"));
  const bin = await readWeights(own);
  expect(bin.tensors.get("scalar")?.toFloat32()).toEqual(Float32Array.of(2.5));
  expect(bin.places.get("weight")?.file).toBe("pytorch_model.bin");
  const shard = (name: string, value: number): Uint8Array =>
    encodeSafetensors([{ name, dtype: "F32", shape: [1], data: Float32Array.of(value) }]);
  await writeFile(join(own, "model-00001-of-00002.safetensors"), shard("a", 1));
  await writeFile(join(own, "model-00002-of-00002.safetensors"), shard("b", 2));
  const index = { weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" } };
  await writeFile(join(own, "model.safetensors.index.json"), JSON.stringify(index));
  const sharded = await readWeights(own);
  expect([...sharded.tensors].map(([name, tensor]) => [name, tensor.toFloat32()[0]])).toEqual([
    ["a", 1],
    ["b", 2],
  ]);
  const place = sharded.places.get("b");
  const file = await open(join(own, place?.file ?? ""), "r");
  const bytes = Buffer.alloc(4);
  await file.read(bytes, 0, 4, place?.offset ?? 0);
  await file.close();
  expect(bytes.readFloatLE(0)).toBe(2);
  await writeFile(join(own, "model-00002-of-00002.safetensors"), shard("c", 2));
  await expect(readWeights(own)).rejects.toThrow(/lacks a tensor/);
  await writeFile(join(own, "model.safetensors"), shard("only", 9));
  expect([...(await readWeights(own)).tensors.keys()]).toEqual(["only"]);
});

test("shards of torch.save are read like those of safetensors", async () => {
  const own = await mkdtemp(join(folder, "shards-"));
  const names = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"];
  for (const [i, name] of names.entries()) {
    await writeFile(join(own, name), encodeTorch({ [`w${i}`]: { shape: [1], data: Float32Array.of(i + 7) } }));
  }
  const weight_map = { w0: names[0], w1: names[1] };
  await writeFile(join(own, "pytorch_model.bin.index.json"), JSON.stringify({ weight_map }));
  const { tensors, places } = await readWeights(own);
  expect([...tensors].map(([name, tensor]) => [name, tensor.toFloat32()[0]])).toEqual([
    ["w0", 7],
    ["w1", 8],
  ]);
  expect(places.get("w1")?.file).toBe(names[1]);
});

test("an index names plain files only", () => {
  const index = (file: string): string => JSON.stringify({ weight_map: { a: file } });
  expect(shardNames(index("x-00001.safetensors"), "i")).toEqual(["x-00001.safetensors"]);
  for (const bad of ["../x.safetensors", "/etc/x.bin", "a/b.bin", "x.txt", ".bin"]) {
    expect(() => shardNames(index(bad), "i")).toThrow(EngineError);
  }
  for (const bad of ["", "null", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {}}']) {
    expect(() => shardNames(bad, "i")).toThrow(EngineError);
  }
});

test("every opcode has its name", () => {
  expect([opcodeName(0x52), opcodeName(0x93), opcodeName(0xff)]).toEqual(["REDUCE", "STACK_GLOBAL", "0xff"]);
});
