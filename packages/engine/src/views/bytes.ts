/** Bytes of hidden messages to text. No Node API: this runs in browsers too. */

const strict = new TextDecoder("utf-8", { fatal: true });
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const sextets = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) sextets[BASE64.charCodeAt(i)] = i;
sextets[0x2d] = 62; // "-" and "_" of the URL alphabet
sextets[0x5f] = 63;

/**
 * UTF-8 (or UTF-16LE, as PowerShell writes it) text, or undefined when the bytes are neither.
 * @example
 * textOfBytes(Uint8Array.of(104, 105)); // "hi"
 */
export function textOfBytes(bytes: Uint8Array): string | undefined {
  if (looksUtf16(bytes)) return new TextDecoder("utf-16le").decode(bytes);
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Bytes of base64 in either alphabet; white space and padding are passed over, a spare last character is dropped.
 * @example
 * bytesOfBase64("aGk="); // 104, 105
 */
export function bytesOfBase64(text: string): Uint8Array {
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const sextet = sextets[text.charCodeAt(i)] ?? -1;
    if (sextet < 0) continue;
    held = ((held << 6) | sextet) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[count++] = (held >> bits) & 0xff;
    }
  }
  return out.subarray(0, count);
}

function looksUtf16(bytes: Uint8Array): boolean {
  if (bytes.length < 8 || bytes.length % 2 !== 0) return false;
  let zeros = 0;
  for (let i = 1; i < bytes.length; i += 2) if (bytes[i] === 0) zeros += 1;
  return zeros > bytes.length * 0.4;
}
