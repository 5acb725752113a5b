/** The directory of a zip archive and its members, read by ranges: what torch.save writes, ZIP64 included.
 * Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
import type { FileHandle } from "node:fs/promises";
import { inflateRawSync } from "node:zlib";
import { EngineError } from "../error.ts";

/** One member. `offset` is that of its local header; the data begins behind it (`dataOffset`). */
export interface ZipEntry {
  readonly name: string;
  readonly method: "stored" | "deflated";
  readonly compressedBytes: number;
  readonly bytes: number;
  readonly offset: number;
}

/** An archive that is open for reading. */
export interface ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** Where the bytes of a member begin in the file. */
  dataOffset(entry: ZipEntry): Promise<number>;
  /** The content of a member. */
  read(entry: ZipEntry): Promise<Uint8Array>;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const MAX_DIRECTORY_BYTES = 32_000_000;
/** What all members together may hold, in sizes of the file: torch compresses nothing, and weights hardly shrink. */
const MAX_INFLATION = 4;
const FREE_BYTES = 1_000_000;

/**
 * Reads the directory of an archive. Members must not claim more bytes than the file has, so that reading each of them
 * once costs no more than reading the file; deflated members may grow to four times the file.
 * @param where named in errors
 * @throws EngineError WEIGHTS when it is no zip archive, is damaged, encrypted or compressed in another way.
 * @example
 * const archive = await openZip(await open("pytorch_model.bin"), "pytorch_model.bin");
 */
export async function openZip(file: FileHandle, where: string): Promise<ZipArchive> {
  const { size } = await file.stat();
  const { at, bytes, count } = await findDirectory(file, size, where);
  if (bytes > MAX_DIRECTORY_BYTES || at + bytes > size || count > bytes / 46) {
    throw damaged("the directory does not fit into the file", where);
  }
  const entries = parseDirectory(await readAt(file, [at, bytes], where), count, where);
  const all = [...entries.values()];
  const sum = (of: (entry: ZipEntry) => number): number => all.reduce((total, entry) => total + of(entry), 0);
  if (sum((entry) => entry.compressedBytes) > size) throw damaged("members overlap", where);
  if (sum((entry) => entry.bytes) > size * MAX_INFLATION + FREE_BYTES)
    throw damaged("members are compressed too far", where);
  const dataOffset = (entry: ZipEntry): Promise<number> => dataOffsetOf(file, entry, { size, where });
  return {
    entries,
    dataOffset,
    async read(entry) {
      const packed = await readAt(file, [await dataOffset(entry), entry.compressedBytes], where);
      return entry.method === "stored" ? packed : inflate(packed, entry, where);
    },
  };
}

/** Where the central directory lies: the end record, and the ZIP64 one where a number is too large for the first. */
async function findDirectory(
  file: FileHandle,
  size: number,
  where: string,
): Promise<{ at: number; bytes: number; count: number }> {
  const tailBytes = Math.min(size, 22 + 0xffff);
  const tail = await readAt(file, [size - tailBytes, tailBytes], where);
  const view = viewOf(tail);
  for (let i = tailBytes - 22; i >= 0; i--) {
    if (view.getUint32(i, true) !== END || i + 22 + view.getUint16(i + 20, true) !== tailBytes) continue;
    const record = { count: view.getUint16(i + 10, true), bytes: view.getUint32(i + 12, true) };
    const at = view.getUint32(i + 16, true);
    const isLarge = record.count === 0xffff || record.bytes === 0xffffffff || at === 0xffffffff;
    if (!isLarge) return { ...record, at };
    const locator = size - tailBytes + i - 20;
    return await findDirectory64(file, locator, where);
  }
  throw damaged("not a zip archive, or cut off", where);
}

async function findDirectory64(
  file: FileHandle,
  locator: number,
  where: string,
): Promise<{ at: number; bytes: number; count: number }> {
  if (locator < 56) throw damaged("the ZIP64 locator is missing", where);
  const pointer = viewOf(await readAt(file, [locator, 20], where));
  if (pointer.getUint32(0, true) !== LOCATOR64) throw damaged("the ZIP64 locator is missing", where);
  const place = whole(pointer.getBigUint64(8, true), where);
  if (place + 56 > locator) throw damaged("the ZIP64 record lies outside the file", where);
  const record = viewOf(await readAt(file, [place, 56], where));
  if (record.getUint32(0, true) !== END64) throw damaged("the ZIP64 record is missing", where);
  return {
    count: whole(record.getBigUint64(32, true), where),
    bytes: whole(record.getBigUint64(40, true), where),
    at: whole(record.getBigUint64(48, true), where),
  };
}

function parseDirectory(directory: Uint8Array, count: number, where: string): Map<string, ZipEntry> {
  const view = viewOf(directory);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || view.getUint32(at, true) !== CENTRAL) {
      throw damaged("the directory is damaged", where);
    }
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next = at + 46 + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > directory.length) throw damaged("the directory is damaged", where);
    const name = new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameBytes));
    const sizes = wideSizes(
      {
        bytes: view.getUint32(at + 24, true),
        compressedBytes: view.getUint32(at + 20, true),
        offset: view.getUint32(at + 42, true),
      },
      directory.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes),
      `${where}: ${name}`,
    );
    if ((view.getUint16(at + 8, true) & 1) !== 0) throw damaged("member is encrypted", `${where}: ${name}`);
    const method = methodOf(view.getUint16(at + 10, true), `${where}: ${name}`);
    if (method === "stored" && sizes.bytes !== sizes.compressedBytes) {
      throw damaged("a stored member has two sizes", `${where}: ${name}`);
    }
    if (entries.has(name)) throw damaged("two members have one name", `${where}: ${name}`);
    entries.set(name, { name, method, ...sizes });
    at = next;
  }
  return entries;
}

interface Sizes {
  readonly bytes: number;
  readonly compressedBytes: number;
  readonly offset: number;
}

/** Numbers of 2³² − 1 stand for those of the ZIP64 field, in this order. */
function wideSizes(narrow: Sizes, extra: Uint8Array, where: string): Sizes {
  const view = viewOf(extra);
  const out = { ...narrow };
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1 && end <= extra.length) {
      let next = at + 4;
      for (const key of ["bytes", "compressedBytes", "offset"] as const) {
        if (narrow[key] !== 0xffffffff) continue;
        if (next + 8 > end) throw damaged("the ZIP64 field is too short", where);
        out[key] = whole(view.getBigUint64(next, true), where);
        next += 8;
      }
      return out;
    }
    at = end;
  }
  return out;
}

async function dataOffsetOf(
  file: FileHandle,
  entry: ZipEntry,
  { size, where }: { readonly size: number; readonly where: string },
): Promise<number> {
  const place = `${where}: ${entry.name}`;
  if (entry.offset + 30 > size) throw damaged("member lies outside the file", place);
  const header = viewOf(await readAt(file, [entry.offset, 30], where));
  if (header.getUint32(0, true) !== LOCAL) throw damaged("member has no header", place);
  const offset = entry.offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (offset + entry.compressedBytes > size) throw damaged("member lies outside the file", place);
  return offset;
}

function inflate(packed: Uint8Array, entry: ZipEntry, where: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.bytes) });
  } catch (cause) {
    throw new EngineError("WEIGHTS", "member cannot be unpacked", { where: `${where}: ${entry.name}` }, { cause });
  }
  if (bytes.length !== entry.bytes) throw damaged("member has another size than stated", `${where}: ${entry.name}`);
  return bytes;
}

function methodOf(code: number, where: string): ZipEntry["method"] {
  if (code === 0) return "stored";
  if (code === 8) return "deflated";
  throw new EngineError("WEIGHTS", "member is compressed in a way that is not read", { where, got: code });
}

/**
 * Some bytes of a file; the caller has checked that it has them.
 * @throws EngineError WEIGHTS when it ends too early.
 * @example
 * await readAt(file, [0, 4], "x.bin");
 */
export async function readAt(
  file: FileHandle,
  [offset, length]: readonly [offset: number, length: number],
  where: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const step = Math.min(length - done, 1 << 30); // one read call moves less than 2³¹ bytes
    const { bytesRead } = await file.read(bytes, done, step, offset + done);
    if (bytesRead === 0) throw damaged("the file ends too early", where);
    done += bytesRead;
  }
  return bytes;
}

function whole(value: bigint, where: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged("a number is too large", where);
  return Number(value);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const damaged = (message: string, where: string): EngineError => new EngineError("WEIGHTS", message, { where });
