/** Reads protobuf messages field by field; unknown fields are passed over by the caller.
 * Source: https://protobuf.dev/programming-guides/encoding/ */
import { EngineError } from "../error.ts";

/** One field: a number for varints and floats, bytes for the rest (64-bit numbers included). */
export interface ProtoField {
  readonly field: number;
  readonly value: number | Uint8Array;
}

/**
 * The fields of a message, in order. Varints above 2⁵³ lose precision; 32-bit values are read as floats.
 * @throws EngineError TOKENIZER when the message ends early or holds a wire type that no message has.
 * @example
 * [...protoFields(Uint8Array.of(8, 150, 1))]; // [{ field: 1, value: 150 }]
 */
export function* protoFields(message: Uint8Array): Generator<ProtoField> {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const bytes = (from: number, size: number): Uint8Array => {
    if (from + size > message.length) throw damaged(from);
    return message.subarray(from, from + size);
  };
  for (let at = 0; at < message.length; ) {
    const key = varint(message, at);
    const field = Math.floor(key.value / 8);
    const wire = key.value % 8;
    at = key.end;
    if (wire === 0) {
      const { value, end } = varint(message, at);
      yield { field, value };
      at = end;
    } else if (wire === 1) {
      yield { field, value: bytes(at, 8) };
      at += 8;
    } else if (wire === 2) {
      const size = varint(message, at);
      yield { field, value: bytes(size.end, size.value) };
      at = size.end + size.value;
    } else if (wire === 5) {
      bytes(at, 4);
      yield { field, value: view.getFloat32(at, true) };
      at += 4;
    } else throw damaged(at);
  }
}

function varint(message: Uint8Array, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = message[from + i];
    if (byte === undefined) break;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return { value, end: from + i + 1 };
  }
  throw damaged(from);
}

function damaged(at: number): EngineError {
  return new EngineError("TOKENIZER", "a protobuf message is damaged", { where: `byte ${at}` });
}
