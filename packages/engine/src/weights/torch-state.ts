/** What torch.save means by a tensor: a view of a storage, which is a block of numbers somewhere in the file.
 * Source: https://github.com/pytorch/pytorch/blob/main/torch/_utils.py */
import { EngineError } from "../error.ts";
import { Dictionary, Global, type PickleRules, Sequence, type Value } from "./pickle.ts";
import { ELEMENT_BYTES, elementsToFloat32, type WeightTensor, type WeightType } from "./safetensors.ts";

/** The tensors of a file that torch.save wrote. */
export interface TorchFile {
  readonly tensors: Map<string, WeightTensor>;
  /** Where the raw numbers of a tensor lie in the file, for those that lie there in one stretch. */
  readonly offsets: Map<string, { readonly offset: number; readonly length: number }>;
}

const STORAGES: Readonly<Record<string, WeightType>> = {
  "torch DoubleStorage": "F64",
  "torch FloatStorage": "F32",
  "torch HalfStorage": "F16",
  "torch BFloat16Storage": "BF16",
  "torch LongStorage": "I64",
  "torch IntStorage": "I32",
  "torch ShortStorage": "I16",
  "torch CharStorage": "I8",
  "torch ByteStorage": "U8",
  "torch BoolStorage": "BOOL",
};
/** Element types that `_rebuild_tensor_v3` names beside an untyped storage. */
const DTYPES: Readonly<Record<string, WeightType>> = {
  "torch float64": "F64",
  "torch float32": "F32",
  "torch float16": "F16",
  "torch bfloat16": "BF16",
  "torch int64": "I64",
  "torch int32": "I32",
  "torch int16": "I16",
  "torch int8": "I8",
  "torch uint8": "U8",
  "torch bool": "BOOL",
};
const UNTYPED = "torch.storage UntypedStorage";
const CALLS = [
  "collections OrderedDict",
  "torch._utils _rebuild_tensor_v2",
  "torch._utils _rebuild_tensor_v3",
  "torch._utils _rebuild_parameter",
];
/** Keys under which checkpoints keep their state dict. */
const WRAPPERS = ["state_dict", "model_state_dict", "model", "module"];
const MAX_AXES = 16;
/** Tensors may share storages (tied weights do), but not make a small file large. */
const MAX_SHARING = 8;
const FREE_BYTES = 64_000_000;

/** A block of numbers in the file. */
export interface Block {
  readonly bytes: number;
  /** Where it begins in the file; undefined when it is compressed there. */
  place(): Promise<number | undefined>;
  read(): Promise<Uint8Array>;
}

/** The block of a storage by its key; undefined when there is none of this size. */
export type FindBlock = (key: string, bytes: number) => Block | undefined;

class Storage {
  readonly block: Block;
  /** Absent for an untyped storage, which counts bytes. */
  readonly dtype: WeightType | undefined;
  constructor(block: Block, dtype: WeightType | undefined) {
    this.block = block;
    this.dtype = dtype;
  }
}

/** A tensor inside a storage; sizes and steps in elements. */
export class Slice {
  readonly storage: Storage;
  readonly dtype: WeightType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(
    storage: Storage,
    dtype: WeightType,
    layout: { readonly offset: number; readonly shape: readonly number[]; readonly strides: readonly number[] },
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.offset = layout.offset;
    this.shape = layout.shape;
    this.strides = layout.strides;
  }
}

/**
 * What the pickle of a state dict may mention: ordered dictionaries, tensors, and storages that `find` knows.
 * @example
 * unpickle(bytes, tensorRules(() => undefined, "x.bin"), "x.bin");
 */
export function tensorRules(find: FindBlock, where: string): PickleRules {
  const allowed = new Set([
    ...Object.keys(STORAGES),
    ...Object.keys(DTYPES),
    ...CALLS,
    UNTYPED,
    "torch UntypedStorage",
  ]);
  return {
    isAllowed: (name) => allowed.has(name),
    // A sixth part says that the storage is itself a view of another; files of the older form may have it, as null.
    persistent: ([kind, type, key, , count, view]) => {
      const name = type instanceof Global ? type.name : "";
      const isUntyped = name === UNTYPED || name === "torch UntypedStorage";
      const dtype = Object.hasOwn(STORAGES, name) ? STORAGES[name] : undefined;
      const isKnown = kind === "storage" && typeof key === "string" && (isUntyped || dtype !== undefined);
      if (!isKnown || !isSize(count) || (view ?? null) !== null) {
        throw refusal("a persistent id names no storage of the archive", where);
      }
      const block = find(key, count * (dtype === undefined ? 1 : ELEMENT_BYTES[dtype]));
      if (!block) throw refusal("a storage is missing, or has another size than stated", `${where}: ${key}`);
      return new Storage(block, dtype);
    },
    call: (name, args) => {
      if (name === "collections OrderedDict") return args.length === 0 ? new Dictionary() : undefined;
      if (name === "torch._utils _rebuild_parameter") return args[0] instanceof Slice ? args[0] : undefined;
      if (name === "torch._utils _rebuild_tensor_v2") return sliceOf(args, undefined, where);
      if (name === "torch._utils _rebuild_tensor_v3") return sliceOf(args, args[6], where);
      return undefined;
    },
  };
}

function sliceOf(args: readonly Value[], named: Value | undefined, where: string): Slice {
  const [storage, offset, shape, strides] = args;
  if (!(storage instanceof Storage)) throw refusal("a tensor without a storage", where);
  const dtype = named instanceof Global ? DTYPES[named.name] : storage.dtype;
  const sizes = sizesOf(shape);
  const steps = sizesOf(strides);
  if (!dtype || !isSize(offset) || !sizes || !steps || sizes.length !== steps.length) {
    throw refusal("a tensor is not described by whole numbers", where);
  }
  const count = sizes.reduce((product, size) => product * size, 1);
  // Every product that is formed stays exact, or the check fails.
  const last = count === 0 ? -1 : sizes.reduce((at, size, i) => at + (size - 1) * (steps[i] ?? 0), offset);
  const held = storage.block.bytes / ELEMENT_BYTES[dtype];
  if (!Number.isSafeInteger(count) || !(last < held)) throw refusal("a tensor reaches beyond its storage", where);
  if (count > Math.max(held, 2 ** 20)) throw refusal("a tensor repeats its storage", where);
  return new Slice(storage, dtype, { offset, shape: sizes, strides: steps });
}

/**
 * The tensors by name: those of the dictionary itself, or of the one under a customary key.
 * @throws EngineError WEIGHTS when it holds anything else.
 * @example
 * const slices = stateOf(unpickle(bytes, rules, "x.bin"), "x.bin");
 */
export function stateOf(value: Value, where: string): Map<string, Slice> {
  if (!(value instanceof Dictionary)) throw refusal("file holds no dictionary of tensors", where);
  const isNested = ![...value.entries.values()].some((entry) => entry instanceof Slice);
  const key = isNested ? WRAPPERS.find((name) => value.entries.get(name) instanceof Dictionary) : undefined;
  const state = key === undefined ? value : value.entries.get(key);
  const slices = new Map<string, Slice>();
  for (const [name, slice] of state instanceof Dictionary ? state.entries : []) {
    if (typeof name !== "string" || !(slice instanceof Slice)) {
      throw refusal("an entry is no tensor", `${where}: ${String(name).slice(0, 200)}`);
    }
    slices.set(name, slice);
  }
  return slices;
}

function checkSharing(slices: ReadonlyMap<string, Slice>, where: string): void {
  const storages = new Set([...slices.values()].map(({ storage }) => storage.block));
  const held = [...storages].reduce((sum, { bytes }) => sum + bytes, 0);
  const claimed = [...slices.values()].reduce((sum, slice) => sum + bytesOf(slice), 0);
  if (claimed > held * MAX_SHARING + FREE_BYTES) throw refusal("tensors repeat their storages", where);
}

/**
 * Reads each block once and makes tensors of it.
 * @throws EngineError WEIGHTS when the tensors claim far more than their storages hold, or a block cannot be read.
 * @example
 * const { tensors } = await readSlices(slices, "x.bin");
 */
export async function readSlices(slices: ReadonlyMap<string, Slice>, where: string): Promise<TorchFile> {
  checkSharing(slices, where);
  const tensors = new Map<string, WeightTensor>();
  const offsets = new Map<string, { offset: number; length: number }>();
  const contents = new Map<Block, { bytes: Uint8Array; at: number | undefined }>();
  for (const [name, slice] of slices) {
    const { block } = slice.storage;
    const content = contents.get(block) ?? { bytes: await block.read(), at: await block.place() };
    contents.set(block, content);
    tensors.set(name, tensorOf(slice, content.bytes));
    if (content.at === undefined || !isInOrder(slice)) continue;
    const from = content.at + slice.offset * ELEMENT_BYTES[slice.dtype];
    offsets.set(name, { offset: from, length: bytesOf(slice) });
  }
  return { tensors, offsets };
}

function tensorOf(slice: Slice, storage: Uint8Array): WeightTensor {
  const { dtype, shape } = slice;
  const size = ELEMENT_BYTES[dtype];
  const from = slice.offset * size;
  const read = (): Uint8Array =>
    isInOrder(slice) ? storage.subarray(from, from + bytesOf(slice)) : gather(slice, storage, size);
  return {
    dtype,
    shape,
    get bytes() {
      return read();
    },
    toFloat32: () => elementsToFloat32(dtype, read()),
  };
}

/** Elements in row-major order. The last axis is walked, the others counted like an odometer. */
function gather({ shape, strides, offset }: Slice, storage: Uint8Array, size: number): Uint8Array {
  const count = shape.reduce((product, n) => product * n, 1);
  const out = new Uint8Array(count * size);
  const position = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < count; i++) {
    for (let b = 0; b < size; b++) out[i * size + b] = storage[at * size + b] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (position[axis] ?? 0) + 1;
      at += strides[axis] ?? 0;
      position[axis] = next;
      if (next < (shape[axis] ?? 0)) break;
      at -= next * (strides[axis] ?? 0);
      position[axis] = 0;
    }
  }
  return out;
}

/** Whether the elements lie one behind the other; axes of one element may have any stride. */
function isInOrder({ shape, strides }: Slice): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 0;
    if (size !== 1 && strides[axis] !== expected) return shape.includes(0);
    expected *= size;
  }
  return true;
}

const bytesOf = ({ shape, dtype }: Slice): number => shape.reduce((product, n) => product * n, ELEMENT_BYTES[dtype]);
const isSize = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const sizesOf = (value: unknown): number[] | undefined =>
  value instanceof Sequence && value.items.length <= MAX_AXES && value.items.every(isSize) ? value.items : undefined;
const refusal = (message: string, where: string): EngineError => new EngineError("WEIGHTS", message, { where });
