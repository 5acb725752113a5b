/** Writes protobuf messages: the five forms that ONNX files need. https://protobuf.dev/programming-guides/encoding/ */

const utf8 = new TextEncoder();

/**
 * One message under construction. Payloads are kept as chunks and copied once, by `finish`.
 * @example
 * const bytes = new ProtoMessage().int(1, 10).string(2, "mlsec").finish();
 */
export class ProtoMessage {
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** A varint field; negative numbers take ten bytes, as int64 does. */
  int(field: number, value: number): this {
    return this.#push(varint(field * 8), varint(value));
  }

  /** A 32-bit float field. */
  float(field: number, value: number): this {
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setFloat32(0, value, true);
    return this.#push(varint(field * 8 + 5), payload);
  }

  /** A length-delimited field; the bytes are not copied until `finish`. */
  bytes(field: number, value: Uint8Array): this {
    return this.#push(varint(field * 8 + 2), varint(value.length), value);
  }

  /** A UTF-8 string field. */
  string(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  /** A nested message field. The nested message must be complete. */
  message(field: number, value: ProtoMessage): this {
    this.#push(varint(field * 8 + 2), varint(value.#size));
    for (const chunk of value.#chunks) this.#push(chunk);
    return this;
  }

  /** The encoded message. */
  finish(): Uint8Array {
    const out = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    return out;
  }

  #push(...chunks: readonly Uint8Array[]): this {
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
    }
    return this;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
