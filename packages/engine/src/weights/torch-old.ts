/** The form of torch.save before version 1.6: pickles one behind the other (system, state, names of the storages), then
 * each storage as its element count and raw numbers. Source: `_legacy_load` in torch/serialization.py */
import type { FileHandle } from "node:fs/promises";
import { EngineError } from "../error.ts";
import { Dictionary, Sequence, unpickleNext } from "./pickle.ts";
import { type Block, type Slice, stateOf, tensorRules } from "./torch-state.ts";
import { readAt } from "./zip.ts";

// The pickled magic number and protocol version 1001, as every file of this form begins.
const BEGINNING = Buffer.from("80028a0a6cfc9c46f9206aa850192e80024de9032e", "hex");
const MAX_PICKLE_BYTES = 4_000_000;

/**
 * Whether a file is no zip archive but a pickle.
 * @example
 * await isOldForm(file);
 */
export async function isOldForm(file: FileHandle): Promise<boolean> {
  const head = new Uint8Array(2);
  await file.read(head, 0, 2, 0);
  return head[0] === 0x80 && (head[1] ?? 9) <= 5;
}

/**
 * The tensors of such a file, their storages located and checked against its length.
 * @throws EngineError WEIGHTS when it begins in another way, is damaged, or refers to anything but tensors.
 * @example
 * const slices = await readOldForm(file, "pytorch_model.bin");
 */
export async function readOldForm(file: FileHandle, where: string): Promise<Map<string, Slice>> {
  const { size } = await file.stat();
  const head = await readAt(file, [0, Math.min(size, MAX_PICKLE_BYTES)], where);
  if (!BEGINNING.equals(head.subarray(0, BEGINNING.length))) {
    throw refusal("file is a pickle, but not one of torch.save", where);
  }
  const blocks = new Map<string, OldBlock>();
  const find = (key: string, bytes: number): Block | undefined => {
    const block = blocks.get(key) ?? new OldBlock(file, bytes, where);
    blocks.set(key, block);
    return block.bytes === bytes ? block : undefined;
  };
  const rules = tensorRules(find, where);
  const system = unpickleNext(head, BEGINNING.length, { rules, where });
  if (!(system.value instanceof Dictionary) || system.value.entries.get("little_endian") !== true) {
    throw refusal("numbers are not little-endian", where);
  }
  const state = unpickleNext(head, system.end, { rules, where });
  const keys = unpickleNext(head, state.end, { rules, where });
  await placeBlocks(file, { blocks, keys: keys.value, from: keys.end, size, where });
  return stateOf(state.value, where);
}

interface Placing {
  readonly blocks: ReadonlyMap<string, OldBlock>;
  readonly keys: unknown;
  readonly from: number;
  readonly size: number;
  readonly where: string;
}

/** The storages follow in the order of the list, none of them twice. */
async function placeBlocks(file: FileHandle, { blocks, keys, from, size, where }: Placing): Promise<void> {
  const names = keys instanceof Sequence ? keys.items : [];
  let at = from;
  for (const name of names) {
    const block = typeof name === "string" ? blocks.get(name) : undefined;
    if (!block || block.at !== undefined) throw refusal("a storage is listed that no tensor uses", where);
    if (at + 8 + block.bytes > size) throw refusal("the file ends too early", where);
    const count = new DataView((await readAt(file, [at, 8], where)).buffer).getBigUint64(0, true);
    // An untyped block counts bytes, any other its elements, of 1 to 8 bytes.
    const bytes = [1n, 2n, 4n, 8n].map((width) => width * count);
    if (!bytes.includes(BigInt(block.bytes))) throw refusal("a storage has another size than stated", where);
    block.at = at + 8;
    at += 8 + block.bytes;
  }
  if ([...blocks.values()].some((block) => block.at === undefined)) throw refusal("a storage is missing", where);
}

class OldBlock implements Block {
  readonly bytes: number;
  at: number | undefined;
  readonly #file: FileHandle;
  readonly #where: string;
  constructor(file: FileHandle, bytes: number, where: string) {
    this.bytes = bytes;
    this.#file = file;
    this.#where = where;
  }
  place(): Promise<number | undefined> {
    return Promise.resolve(this.at);
  }
  read(): Promise<Uint8Array> {
    return readAt(this.#file, [this.at ?? 0, this.bytes], this.#where);
  }
}

const refusal = (message: string, where: string): EngineError => new EngineError("WEIGHTS", message, { where });
