/** Files of torch.save by hand: right ones, and ones that are wrong on purpose. For tests only. */
import { deflateRawSync } from "node:zlib";

/** A member of an archive. */
export interface Member {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflated?: boolean;
  /** Instead of the true size. */
  readonly claimed?: number;
}

/** A zip archive by hand, so that it can be wrong on purpose. */
export function zip(members: readonly Member[], { zip64 = false, method = 0 } = {}): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, deflated, claimed } of members) {
    const packed = deflated ? deflateRawSync(data) : data;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(7, 28); // padding as torch writes it, so that the data is not where the name ends
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(deflated ? 8 : method, 10);
    const extra = Buffer.alloc(zip64 ? 28 : 0);
    central.writeUInt32LE(zip64 ? 0xffffffff : (claimed ?? packed.length), 20);
    central.writeUInt32LE(zip64 ? 0xffffffff : (claimed ?? data.length), 24);
    central.writeUInt32LE(zip64 ? 0xffffffff : at, 42);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(extra.length, 30);
    if (zip64) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      extra.writeBigUInt64LE(BigInt(claimed ?? data.length), 4);
      extra.writeBigUInt64LE(BigInt(claimed ?? packed.length), 12);
      extra.writeBigUInt64LE(BigInt(at), 20);
    }
    directory.push(central, Buffer.from(name), extra);
    const member = [local, Buffer.from(name), Buffer.alloc(7), Buffer.from(packed)];
    parts.push(...member);
    at += Buffer.concat(member).length;
  }
  const central = Buffer.concat(directory);
  const tail: Buffer[] = [];
  if (zip64) {
    const record = Buffer.alloc(56);
    record.writeUInt32LE(0x06064b50, 0);
    record.writeBigUInt64LE(44n, 4);
    record.writeBigUInt64LE(BigInt(members.length), 32);
    record.writeBigUInt64LE(BigInt(central.length), 40);
    record.writeBigUInt64LE(BigInt(at), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(at + central.length), 8);
    tail.push(record, locator);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : members.length, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : central.length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : at, 16);
  return Buffer.concat([...parts, central, ...tail, end]);
}

/** Bytes of a Latin-1 text. */
export const text = (value: string): Buffer => Buffer.from(value, "latin1");
/** LONG1 of a number. */
export const long = (value: number): Buffer => {
  const out = Buffer.alloc(10);
  out.writeUInt8(0x8a, 0);
  out.writeUInt8(8, 1);
  out.writeBigInt64LE(BigInt(value), 2);
  return out;
};
/** SHORT_BINUNICODE of an ASCII text. */
export const word = (value: string): Buffer => Buffer.concat([text("\x8c"), Buffer.from([value.length]), text(value)]);

/** `{"w": tensor}` over one float32 storage of `floats` numbers. */
export function tensorPickle(
  floats: number,
  { offset = 0, shape = [floats], strides = [1], type = "FloatStorage" } = {},
): Buffer {
  const tuple = (values: readonly number[]): Buffer => Buffer.concat([text("("), ...values.map(long), text("t")]);
  const storage = Buffer.concat([
    text("("),
    word("storage"),
    text(`ctorch\n${type}\n`),
    word("0"),
    word("cpu"),
    long(floats),
    text("tQ"),
  ]);
  return Buffer.concat([
    text("\x80\x02}"),
    word("w"),
    text("ctorch._utils\n_rebuild_tensor_v2\n("),
    storage,
    long(offset),
    tuple(shape),
    tuple(strides),
    text("\x89ccollections\nOrderedDict\n)RtRs."),
  ]);
}

/** A whole `pytorch_model.bin` of float32 tensors, each with a storage of its own. */
export function encodeTorch(
  tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>,
): Uint8Array {
  const entries = Object.entries(tensors);
  const tuple = (values: readonly number[]): Buffer => Buffer.concat([text("("), ...values.map(long), text("t")]);
  const items = entries.map(([name, { shape, data }], i) => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
    return Buffer.concat([
      word(name),
      text("ctorch._utils\n_rebuild_tensor_v2\n(("),
      word("storage"),
      text("ctorch\nFloatStorage\n"),
      word(String(i)),
      word("cpu"),
      long(data.length),
      text("tQ"),
      long(0),
      tuple(shape),
      tuple(strides),
      text("\x89ccollections\nOrderedDict\n)RtR"),
    ]);
  });
  const pickle = Buffer.concat([text("\x80\x02ccollections\nOrderedDict\n)R("), ...items, text("u.")]);
  const storages = entries.map(([, { data }], i) => ({
    name: `model/data/${i}`,
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }));
  return zip([{ name: "model/data.pkl", data: pickle }, ...storages]);
}
