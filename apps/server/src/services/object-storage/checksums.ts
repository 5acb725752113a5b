// The checksums that S3 clients send: SHA-1, SHA-256, CRC-32, CRC-32C and CRC-64/NVME.
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

export interface Checksum {
  update(chunk: Uint8Array): void;
  /** Base64 of the big-endian value, as the headers have it. */
  digest(): string;
}

const crc32cTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

function crc32c(): Checksum {
  let crc = 0xffffffff;
  return {
    update(chunk) {
      for (const byte of chunk) crc = (crc32cTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
    },
    digest: () => bigEndian([(crc ^ 0xffffffff) >>> 0]),
  };
}

// Reflected polynomial 0x9a6c9329ac4bc9b5 in two halves: BigInt would be a hundred times slower.
const crc64Low = new Uint32Array(256);
const crc64High = new Uint32Array(256);
for (let n = 0; n < 256; n++) {
  let low = n;
  let high = 0;
  for (let bit = 0; bit < 8; bit++) {
    const odd = low & 1;
    low = ((low >>> 1) | (high << 31)) >>> 0;
    high >>>= 1;
    if (odd) {
      low = (low ^ 0xac4bc9b5) >>> 0;
      high = (high ^ 0x9a6c9329) >>> 0;
    }
  }
  crc64Low[n] = low;
  crc64High[n] = high;
}

function crc64nvme(): Checksum {
  let low = 0xffffffff;
  let high = 0xffffffff;
  return {
    update(chunk) {
      for (const byte of chunk) {
        const at = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ (crc64Low[at] ?? 0);
        high = (high >>> 8) ^ (crc64High[at] ?? 0);
      }
    },
    digest: () => bigEndian([~high >>> 0, ~low >>> 0]),
  };
}

function zlibCrc32(): Checksum {
  let crc = 0;
  return {
    update: (chunk) => {
      crc = crc32(chunk, crc);
    },
    digest: () => bigEndian([crc]),
  };
}

function bigEndian(words: readonly number[]): string {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [i, word] of words.entries()) bytes.writeUInt32BE(word, i * 4);
  return bytes.toString("base64");
}

const cryptographic = (name: string) => (): Checksum => {
  const hash = createHash(name);
  return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest("base64") };
};

const makers: Readonly<Record<string, () => Checksum>> = {
  crc32: zlibCrc32,
  crc32c,
  crc64nvme,
  sha1: cryptographic("sha1"),
  sha256: cryptographic("sha256"),
  md5: cryptographic("md5"),
};

/** A checksum by S3's name of it (`crc32` of `x-amz-checksum-crc32`); undefined when S3 has no such. */
export const createChecksum = (name: string): Checksum | undefined =>
  Object.hasOwn(makers, name) ? makers[name]?.() : undefined;
