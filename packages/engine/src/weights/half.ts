/** Half-precision numbers as bits: float16 and bfloat16 to and from float32. Node 20 has no Float16Array. */

const bits = new Uint32Array(1);
const real = new Float32Array(bits.buffer);
let float16Table: Float32Array | undefined;

/**
 * One float16 as a number, from its 16 bits.
 * @example
 * float16ToNumber(0x3c00); // 1
 */
export function float16ToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * The 16 bits of the float16 nearest to a number (ties to even, overflow to infinity).
 * @example
 * numberToFloat16(1); // 0x3c00
 */
export function numberToFloat16(value: number): number {
  real[0] = value;
  const x = bits[0] ?? 0;
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x33000000) return sign;
  if (magnitude < 0x38800000) {
    const shift = 126 - (magnitude >>> 23); // below the smallest normal: the fraction keeps fewer bits
    return sign | roundShift((magnitude & 0x7fffff) | 0x800000, shift);
  }
  return sign | roundShift(magnitude - 0x38000000, 13);
}

/** Shifts right, rounding to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

/**
 * float16 bits to float32, element by element.
 * @example
 * float16ToFloat32(Uint16Array.of(0x3c00)); // [1]
 */
export function float16ToFloat32(source: Uint16Array): Float32Array {
  float16Table ??= Float32Array.from({ length: 65_536 }, (_, half) => float16ToNumber(half));
  const out = new Float32Array(source.length);
  for (let i = 0; i < source.length; i++) out[i] = float16Table[source[i] ?? 0] ?? 0;
  return out;
}

/**
 * float32 to float16 bits, element by element.
 * @example
 * float32ToFloat16(Float32Array.of(1)); // [0x3c00]
 */
export function float32ToFloat16(source: Float32Array): Uint16Array {
  const out = new Uint16Array(source.length);
  for (let i = 0; i < source.length; i++) out[i] = numberToFloat16(source[i] ?? 0);
  return out;
}

/**
 * bfloat16 bits to float32: the upper half of the float.
 * @example
 * bfloat16ToFloat32(Uint16Array.of(0x3f80)); // [1]
 */
export function bfloat16ToFloat32(source: Uint16Array): Float32Array {
  const out = new Uint32Array(source.length);
  for (let i = 0; i < source.length; i++) out[i] = (source[i] ?? 0) << 16;
  return new Float32Array(out.buffer);
}
