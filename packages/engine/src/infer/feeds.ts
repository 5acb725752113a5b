/** Rows of token ids as the tensors that a graph's inputs want. */
import type { Tensor, TensorConstructor } from "onnxruntime-node";
import { dimsOf, type Feed, type TokenRows } from "../nn/feed.ts";

/**
 * Pads rows to a rectangle.
 * @param room reused when it is large enough
 * @example
 * paddedRows([Int32Array.of(101, 102)], 0); // { rows: 1, tokens: 2, … }
 */
export function paddedRows(rows: readonly Int32Array[], padId: number, room?: Int32Array): TokenRows {
  const tokens = rows.reduce((longest, row) => Math.max(longest, row.length), 1);
  const size = rows.length * tokens;
  const ids = (room && room.length >= size ? room.subarray(0, size) : new Int32Array(size)).fill(padId);
  for (const [i, row] of rows.entries()) ids.set(row, i * tokens);
  return { rows: rows.length, tokens, ids, lengths: Int32Array.from(rows, (row) => row.length) };
}

/**
 * Every feed of a graph, made from a batch.
 * @param Tensor the class of the runtime that takes them
 * @example
 * const { logits } = await session.run(feedTensors(feeds, paddedRows(rows, 0), Tensor));
 */
export function feedTensors(
  feeds: readonly Feed[],
  batch: TokenRows,
  Tensor: TensorConstructor,
): Record<string, Tensor> {
  return Object.fromEntries(
    feeds.map((feed) => {
      const data = feed.make(batch);
      const dims = dimsOf(feed.shape, batch);
      return [
        feed.name,
        data instanceof Int32Array ? new Tensor("int32", data, dims) : new Tensor("float32", data, dims),
      ];
    }),
  );
}
