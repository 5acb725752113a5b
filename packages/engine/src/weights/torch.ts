/** Reads `pytorch_model.bin`: what torch.save wrote, as a zip archive or, before version 1.6, as bare pickles. The pickle is
 * interpreted by a closed list, storages are read as raw numbers, and nothing in the file is executed.
 * Source: https://github.com/pytorch/pytorch/blob/main/torch/serialization.py */
import { type FileHandle, open } from "node:fs/promises";
import { EngineError } from "../error.ts";
import { unpickle } from "./pickle.ts";
import { isOldForm, readOldForm } from "./torch-old.ts";
import { type Block, readSlices, type Slice, stateOf, tensorRules, type TorchFile } from "./torch-state.ts";
import { openZip, type ZipArchive, type ZipEntry } from "./zip.ts";

const MAX_PICKLE_BYTES = 4_000_000;

/**
 * Reads a file of torch.save that holds tensors by name, plain or one level down (as "state_dict", …).
 * Each storage is read once; a tensor whose elements lie in order is a view of it, any other is copied when asked for.
 * @throws EngineError WEIGHTS when the file is missing, damaged, or refers to anything but tensors: the message names
 * the opcode or global.
 * @example
 * const { tensors } = await readTorch("model/pytorch_model.bin");
 */
export async function readTorch(path: string): Promise<TorchFile> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw new EngineError("WEIGHTS", "weight file cannot be read", { where: path }, { cause });
  }
  try {
    const slices = (await isOldForm(file)) ? await readOldForm(file, path) : await readArchive(file, path);
    return await readSlices(slices, path);
  } finally {
    await file.close();
  }
}

async function readArchive(file: FileHandle, where: string): Promise<Map<string, Slice>> {
  const archive = await openZip(file, where);
  const pickles = [...archive.entries.values()].filter(({ name }) => /^(?:[^/]+\/)?data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (!pickle || pickles.length > 1) throw refusal("archive does not hold one data.pkl", where);
  if (pickle.bytes > MAX_PICKLE_BYTES) throw refusal("data.pkl is too large", where);
  const prefix = pickle.name.slice(0, -"data.pkl".length);
  const order = archive.entries.get(`${prefix}byteorder`);
  if (order && new TextDecoder().decode(await archive.read(order)) !== "little") {
    throw refusal("numbers are not little-endian", where);
  }
  const blocks = new Map<ZipEntry, Block>();
  const find = (key: string, bytes: number): Block | undefined => {
    const entry = archive.entries.get(`${prefix}data/${key}`);
    if (!entry || entry.bytes !== bytes) return undefined;
    const block = blocks.get(entry) ?? blockOf(archive, entry);
    blocks.set(entry, block);
    return block;
  };
  return stateOf(unpickle(await archive.read(pickle), tensorRules(find, where), where), where);
}

const blockOf = (archive: ZipArchive, entry: ZipEntry): Block => ({
  bytes: entry.bytes,
  place: async () => (entry.method === "stored" ? await archive.dataOffset(entry) : undefined),
  read: () => archive.read(entry),
});

const refusal = (message: string, where: string): EngineError => new EngineError("WEIGHTS", message, { where });
