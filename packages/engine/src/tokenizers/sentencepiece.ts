/** Reads SentencePiece model files (`spm.model`, `spiece.model`, `sentencepiece.bpe.model`).
 * Source: https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto */
import { EngineError } from "../error.ts";
import { protoFields } from "./protobuf.ts";

/** What a piece is; only normal ones are cut from text by the model itself. */
export type PieceKind = "normal" | "unknown" | "control" | "user" | "unused" | "byte";

/** One entry of the vocabulary; its place in the list is its id. */
export interface Piece {
  readonly text: string;
  readonly score: number;
  readonly kind: PieceKind;
}

/** The parts of a model file that cutting texts needs. */
export interface SentencePieceModel {
  readonly pieces: readonly Piece[];
  readonly algorithm: "unigram" | "bpe";
  readonly unknownId: number;
  readonly hasByteFallback: boolean;
  /** The compiled character map; empty where there is none. */
  readonly characterMap: Uint8Array;
}

const KINDS: readonly (PieceKind | undefined)[] = [undefined, "normal", "unknown", "control", "user", "unused", "byte"];
const ALGORITHMS = ["unigram", "unigram", "bpe"] as const; // 0 stands in no file
const utf8 = new TextDecoder();

/**
 * The contents of a model file.
 * @throws EngineError TOKENIZER when the file is damaged, empty, or of an algorithm other than unigram and BPE.
 * @example
 * const { pieces } = parseSentencePiece(await readFile("spm.model"));
 */
export function parseSentencePiece(file: Uint8Array): SentencePieceModel {
  const pieces: Piece[] = [];
  let trainer = new Uint8Array();
  let normalizer = new Uint8Array();
  for (const { field, value } of protoFields(file)) {
    if (typeof value === "number") continue;
    if (field === 1) pieces.push(parsePiece(value));
    else if (field === 2) trainer = Uint8Array.from(value);
    else if (field === 3) normalizer = Uint8Array.from(value);
  }
  const { algorithm, unknownId, hasByteFallback } = parseTrainer(trainer);
  if (unknownId >= pieces.length) {
    throw new EngineError("TOKENIZER", "a SentencePiece file lacks its unknown piece", {
      expected: unknownId,
      got: pieces.length,
    });
  }
  return { pieces, algorithm, unknownId, hasByteFallback, characterMap: parseNormalizer(normalizer) };
}

function parsePiece(message: Uint8Array): Piece {
  let text = "";
  let score = 0;
  let kind: PieceKind | undefined = "normal";
  for (const { field, value } of protoFields(message)) {
    if (field === 1 && typeof value !== "number") text = utf8.decode(value);
    else if (field === 2 && typeof value === "number") score = value;
    else if (field === 3 && typeof value === "number") kind = KINDS[value];
  }
  if (kind === undefined || !Number.isFinite(score)) {
    throw new EngineError("TOKENIZER", "a SentencePiece piece is damaged", { got: text });
  }
  return { text, score, kind };
}

function parseTrainer(message: Uint8Array): Pick<SentencePieceModel, "algorithm" | "unknownId" | "hasByteFallback"> {
  let algorithm: SentencePieceModel["algorithm"] | undefined = "unigram";
  let unknownId = 0;
  let hasByteFallback = false;
  for (const { field, value } of protoFields(message)) {
    if (typeof value !== "number") continue;
    if (field === 3) algorithm = ALGORITHMS[value];
    else if (field === 35) hasByteFallback = value !== 0;
    else if (field === 40) unknownId = value;
  }
  if (algorithm === undefined) {
    throw new EngineError("TOKENIZER", "a SentencePiece file is neither unigram nor BPE", { where: "model_type" });
  }
  return { algorithm, unknownId, hasByteFallback };
}

function parseNormalizer(message: Uint8Array): Uint8Array {
  for (const { field, value } of protoFields(message)) if (field === 2 && typeof value !== "number") return value;
  return new Uint8Array();
}
