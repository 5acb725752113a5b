// Tensors of the Open Inference Protocol: texts in (BYTES), label, score and probabilities out; as JSON and in the
// binary form that follows a JSON header (Inference-Header-Content-Length), where BYTES are length-prefixed.
import { AppError, type OipTensor, type Verdict } from "@mlsec/contracts";
import type * as z from "zod";

export type Tensor = z.infer<typeof OipTensor>;
export interface Output {
  readonly name: string;
  readonly shape: number[];
  readonly datatype: "BYTES" | "FP32";
  readonly data: (string | number)[];
}

export const outputNames = ["label", "score", "probabilities"] as const;
export const inputMeta = [{ name: "text", shape: [-1], datatype: "BYTES" }];
export const outputMeta = (labels: number) => [
  { name: "label", shape: [-1], datatype: "BYTES" },
  { name: "score", shape: [-1], datatype: "FP32" },
  { name: "probabilities", shape: [-1, labels], datatype: "FP32" },
];

/** The texts of the one input. INVALID_INPUT says what the input must be. */
export function textsOf(inputs: readonly Tensor[], binary: Uint8Array | undefined): string[] {
  const [input, ...rest] = inputs;
  if (!input || rest.length > 0 || input.name !== "text" || input.datatype !== "BYTES")
    throw invalid("inputs", 'expected one input named "text" of datatype BYTES');
  const count = input.shape.reduce((product, size) => product * size, 1);
  const size = input.parameters?.["binary_data_size"];
  const texts = size === undefined ? (input.data ?? []).flat(8).map(textIn) : binaryTexts(binary, size);
  if (texts.length !== count) throw invalid("inputs[0].shape", `it says ${count} texts, there are ${texts.length}`);
  if (count < 1 || count > 1000) throw invalid("inputs[0].shape", "expected 1 to 1,000 texts");
  return texts;
}

function textIn(value: unknown, i: number): string {
  if (typeof value === "string") return value;
  throw invalid(`inputs[0].data[${i}]`, "expected a string");
}

function binaryTexts(binary: Uint8Array | undefined, size: unknown): string[] {
  if (!binary || typeof size !== "number" || size !== binary.byteLength)
    throw invalid(
      "inputs[0].parameters.binary_data_size",
      `it says ${String(size)} bytes, there are ${binary?.byteLength ?? 0}`,
    );
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  const texts: string[] = [];
  for (let at = 0; at < binary.byteLength; ) {
    const length = at + 4 <= binary.byteLength ? view.getUint32(at, true) : Number.NaN;
    at += 4;
    if (!(at + length <= binary.byteLength)) throw invalid("inputs[0]", "the binary data ends inside an element");
    texts.push(utf8(binary.subarray(at, at + length)));
    at += length;
  }
  return texts;
}

/** UTF-8 as it stands: a byte order mark is part of the text. */
export function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("INVALID_ENCODING", "a text is not UTF-8", {}, { cause });
  }
}

/** Output tensors of verdicts, in the labels' own order; only those asked for. */
export function outputsOf(
  verdicts: readonly Verdict[],
  labels: readonly string[],
  wanted: readonly string[],
): Output[] {
  const all: Output[] = [
    { name: "label", shape: [verdicts.length], datatype: "BYTES", data: verdicts.map(({ prediction }) => prediction) },
    { name: "score", shape: [verdicts.length], datatype: "FP32", data: verdicts.map((v) => v.attack_probability) },
    {
      name: "probabilities",
      shape: [verdicts.length, labels.length],
      datatype: "FP32",
      data: verdicts.flatMap(({ probabilities = {} }) => labels.map((label) => probabilities[label] ?? 0)),
    },
  ];
  const unknown = wanted.find((name) => !all.some((output) => output.name === name));
  if (unknown !== undefined)
    throw invalid(
      "outputs",
      `there is no output ${JSON.stringify(unknown.slice(0, 80))}; there are ${outputNames.join(", ")}`,
    );
  return wanted.length === 0 ? all : all.filter(({ name }) => wanted.includes(name));
}

/** An output's data in the binary form. */
export function binaryOf({ datatype, data }: Output): Buffer {
  if (datatype === "FP32") {
    const bytes = Buffer.alloc(4 * data.length);
    data.forEach((value, i) => bytes.writeFloatLE(Number(value), 4 * i));
    return bytes;
  }
  return Buffer.concat(
    data.flatMap((value) => {
      const text = Buffer.from(String(value), "utf8");
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.byteLength);
      return [length, text];
    }),
  );
}

export const invalid = (field: string, message: string): AppError =>
  new AppError("INVALID_INPUT", `${field}: ${message}`, { errors: [{ field, message }] });
