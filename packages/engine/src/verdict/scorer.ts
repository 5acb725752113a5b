/** What a kind of model must offer so that views, windows, pooling and evidence are the same for all kinds. */
import type { SubmitOptions } from "../infer/batcher.ts";

/** A stretch of one view's text, ready to be scored. `start`/`end` are UTF-16 offsets into the view's text. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  /** What the model reads: token ids, specials included. Linear models have one per code unit. */
  readonly ids: Int32Array;
  readonly text: string;
}

/** A model behind a detector. */
export interface Scorer {
  readonly memoryBytes: number;
  /** Windows over the whole text, and its length in tokens. */
  cut(text: string): { readonly pieces: Piece[]; readonly tokens: number };
  /** One stretch of a text as a single piece; the model may cut it at its own longest input. */
  piece(text: string, start: number, end: number): Piece;
  /** Uncalibrated logits of each piece in the order of the manifest's labels. */
  score(pieces: readonly Piece[], options?: SubmitOptions): Promise<ArrayLike<number>[]>;
  /** The parts of a piece that spoke for an attack, where the model can tell; offsets like the piece's own. */
  focus?(piece: Piece, logits: ArrayLike<number>): { readonly start: number; readonly end: number }[];
  release(): Promise<void>;
}
