/**
 * What a batch of token rows gives a graph besides its words: masks, positions, selectors. They are small, so they are
 * computed here and fed at every run, the same for training and serving.
 */
import type { Shape } from "../graph/op.ts";

/** A padded rectangle of token ids: `ids` is (rows, tokens), `lengths` counts each row without its padding. */
export interface TokenRows {
  readonly rows: number;
  readonly tokens: number;
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
}

/** A graph input made from the batch. Symbols in its shape: batch, tokens, rows (batch x tokens), distances (2 tokens). */
export interface Feed {
  readonly name: string;
  readonly type: "float32" | "int32";
  readonly shape: Shape;
  readonly make: (batch: TokenRows) => Float32Array | Int32Array;
}

/** Which rows of an embedding table a batch reads; `shape` is that of the indices. */
export interface Selection {
  readonly name: string;
  readonly shape: Shape;
  readonly rows: (batch: TokenRows) => Int32Array;
}

/** Score of a masked key: exp underflows to exactly 0. */
const masked = -1e9;

/**
 * A shape with its symbols replaced by the sizes of a batch.
 * @example dimsOf(["batch", "tokens", 384], batch) // [8, 24, 384]
 */
export function dimsOf(shape: Shape, { rows, tokens }: TokenRows): number[] {
  const sizes: Readonly<Record<string, number>> = {
    batch: rows,
    tokens,
    rows: rows * tokens,
    distances: 2 * tokens,
  };
  return shape.map((dim) => (typeof dim === "number" ? dim : (sizes[dim] ?? 1)));
}

/** Words: the ids themselves, (batch, tokens). */
export const words: Selection = { name: "words", shape: ["batch", "tokens"], rows: ({ ids }) => ids };

/** The words one place to the right behind `start`, (batch, tokens): what a decoder reads. */
export const shiftedWords = (start: number): Selection => ({
  name: "shifted",
  shape: ["batch", "tokens"],
  rows: ({ rows, tokens, ids }) => {
    const out = new Int32Array(ids.length);
    for (let row = 0; row < rows; row++) {
      const at = row * tokens;
      out[at] = start;
      out.set(ids.subarray(at, at + tokens - 1), at + 1);
    }
    return out;
  },
});

/** Absolute positions from `first` on, (tokens). */
export const positions = (first = 0): Selection => ({
  name: "positions",
  shape: ["tokens"],
  rows: ({ tokens }) => Int32Array.from({ length: tokens }, (_, i) => first + i),
});

/** The type of the first segment, (1): every token of a single text has it. */
export const firstType: Selection = { name: "types", shape: [1], rows: () => Int32Array.of(0) };

/** One row per distance key - query, from 1 - tokens to tokens, (distances): `RelativeShift` wants them even in number. */
export const distances = (name: string, rowOf: (distance: number) => number): Selection => ({
  name,
  shape: ["distances"],
  rows: ({ tokens }) => Int32Array.from({ length: 2 * tokens }, (_, i) => rowOf(i + 1 - tokens)),
});

/** One row per pair of query and key by their distance key - query, (tokens, tokens). */
export const pairs = (name: string, rowOf: (distance: number) => number): Selection => ({
  name,
  shape: ["tokens", "tokens"],
  rows: ({ tokens }) =>
    Int32Array.from({ length: tokens * tokens }, (_, i) => rowOf((i % tokens) - Math.floor(i / tokens))),
});

/** One row per key by its distance from the first token, (tokens). */
export const fromFirst = (name: string, rowOf: (distance: number) => number): Selection => ({
  name,
  shape: ["tokens"],
  rows: ({ tokens }) => Int32Array.from({ length: tokens }, (_, i) => rowOf(i)),
});

/** 0 for tokens, a large negative number for padding, (batch, 1, 1, tokens). */
export const paddingBias: Feed = {
  name: "attention_bias",
  type: "float32",
  shape: ["batch", 1, 1, "tokens"],
  make: ({ rows, tokens, lengths }) => {
    const bias = new Float32Array(rows * tokens);
    for (const [row, length] of lengths.entries()) bias.fill(masked, row * tokens + length, (row + 1) * tokens);
    return bias;
  },
};

/** Lengths of the rows, (batch). */
export const rowLengths: Feed = { name: "lengths", type: "int32", shape: ["batch"], make: ({ lengths }) => lengths };

/** 1 for tokens, 0 for padding, (batch, tokens, 1). */
export const tokenMask: Feed = {
  name: "token_mask",
  type: "float32",
  shape: ["batch", "tokens", 1],
  make: ({ rows, tokens, lengths }) => {
    const mask = new Float32Array(rows * tokens);
    for (const [row, length] of lengths.entries()) mask.fill(1, row * tokens, row * tokens + length);
    return mask;
  },
};

/** A bias on scores by distance key - query, (1, 1, tokens, tokens): 0 where `sees`, else masked. */
const distanceBias = (name: string, sees: (distance: number) => boolean): Feed => ({
  name,
  type: "float32",
  shape: [1, 1, "tokens", "tokens"],
  make: ({ tokens }) => {
    const bias = new Float32Array(tokens * tokens);
    for (let i = 0; i < bias.length; i++) if (!sees((i % tokens) - Math.floor(i / tokens))) bias[i] = masked;
    return bias;
  },
});

/** Every token sees itself and what came before it. */
export const causalBias: Feed = distanceBias("causal_bias", (distance) => distance <= 0);

/** Every token sees the tokens at most `reach` places away. */
export const localBias = (reach: number): Feed =>
  distanceBias(`local_bias_${reach}`, (distance) => Math.abs(distance) <= reach);

/** Selects the last token of every row, (batch, 1, tokens), for `weighTokens`. */
export const lastToken: Feed = {
  name: "last_token",
  type: "float32",
  shape: ["batch", 1, "tokens"],
  make: ({ rows, tokens, lengths }) => {
    const out = new Float32Array(rows * tokens);
    for (const [row, length] of lengths.entries()) out[row * tokens + length - 1] = 1;
    return out;
  },
};

/** Place of a row's last token that is not `padId`: a text may spell the padding token itself. 0 when there is none. */
function lastPlace({ tokens, ids, lengths }: TokenRows, row: number, padId: number): number {
  let place = (lengths[row] ?? 1) - 1;
  while (place > 0 && ids[row * tokens + place] === padId) place--;
  return place;
}

/** Selects the last token of every row that is not `padId`, (batch, 1, tokens), for `weighTokens`. */
export const lastTokenBut = (padId: number): Feed => ({
  name: "last_token_but_padding",
  type: "float32",
  shape: ["batch", 1, "tokens"],
  make: (batch) => {
    const out = new Float32Array(batch.rows * batch.tokens);
    for (let row = 0; row < batch.rows; row++) out[row * batch.tokens + lastPlace(batch, row, padId)] = 1;
    return out;
  },
});

/** A bias on the scores of that token, which sees itself and what came before it, (batch, 1, 1, tokens). */
export const lastTokenBias = (padId: number): Feed => ({
  name: "last_token_bias",
  type: "float32",
  shape: ["batch", 1, 1, "tokens"],
  make: (batch) => {
    const { rows, tokens } = batch;
    const bias = new Float32Array(rows * tokens);
    for (let row = 0; row < rows; row++) {
      bias.fill(masked, row * tokens + lastPlace(batch, row, padId) + 1, (row + 1) * tokens);
    }
    return bias;
  },
});

/** Averages the tokens of every row, (batch, 1, tokens), for `weighTokens`. */
export const meanOfTokens: Feed = {
  name: "mean_of_tokens",
  type: "float32",
  shape: ["batch", 1, "tokens"],
  make: ({ rows, tokens, lengths }) => {
    const out = new Float32Array(rows * tokens);
    for (const [row, length] of lengths.entries()) out.fill(1 / length, row * tokens, row * tokens + length);
    return out;
  },
};

/**
 * Cosines or sines of the angles by which heads of `width` are turned, (tokens, width / 2): token t turns pair i by
 * t theta^(-2i / width). https://arxiv.org/abs/2104.09864
 */
export function rotation(wave: "cos" | "sin", theta: number, width: number): Feed {
  const half = width / 2;
  let known = new Float32Array(); // grows to the longest batch
  return {
    name: `${wave}_${theta}`,
    type: "float32",
    shape: ["tokens", half],
    make: ({ tokens }) => {
      if (known.length < tokens * half) {
        known = Float32Array.from({ length: tokens * half }, (_, at) => {
          const speed = Math.fround(theta ** (-(at % half) / half)); // upstream keeps speed and angle in 32 bits
          return Math[wave](Math.fround(Math.floor(at / half) * speed));
        });
      }
      return known.subarray(0, tokens * half);
    },
  };
}
