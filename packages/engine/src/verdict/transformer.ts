/** A transformer as a scorer: its tokenizer, its session and the batcher between callers and session. */
import { type BatchReport, createBatcher } from "../infer/batcher.ts";
import type { Session } from "../infer/runner.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import type { DetectorManifest } from "./manifest.ts";
import type { Scorer } from "./scorer.ts";
import { tokenWindows } from "./windows.ts";

/** Options of `transformerScorer`. */
export interface BatchOptions {
  /** Windows that may wait before callers are refused with OVERLOADED. */
  readonly maxQueue?: number;
  readonly onBatch?: (report: BatchReport) => void;
}

/**
 * A scorer over a tokenizer and a session, which it releases with itself.
 * @example
 * const scorer = transformerScorer({ tokenizer, session }, manifest);
 */
export function transformerScorer(
  { tokenizer, session }: { readonly tokenizer: Tokenizer; readonly session: Session },
  { windowTokens, overlapTokens }: Pick<DetectorManifest, "windowTokens" | "overlapTokens">,
  options: BatchOptions = {},
): Scorer {
  const batcher = createBatcher({
    run: (rows) => session.run(rows),
    ...(options.maxQueue === undefined ? {} : { maxQueue: options.maxQueue }),
    ...(options.onBatch === undefined ? {} : { onBatch: options.onBatch }),
  });
  const { prefixIds, suffixIds } = tokenizer;
  const longest = Math.min(windowTokens, session.config.maxTokens);
  const layout = { windowTokens: longest, overlapTokens, prefixIds, suffixIds };
  const nothing = Int32Array.of(session.config.padId); // an empty text without specials still gets a verdict
  return {
    memoryBytes: session.memoryBytes,
    cut(text) {
      const encoding = tokenizer.encode(text, { addSpecials: false });
      const windows = tokenWindows(encoding, layout);
      const pieces = windows.map((window) => ({ ...window, text: text.slice(window.start, window.end) }));
      return { pieces, tokens: encoding.ids.length };
    },
    piece(text, start, end) {
      const part = text.slice(start, end);
      const { ids } = tokenizer.encode(part, { addSpecials: false });
      const body = ids.subarray(0, longest - prefixIds.length - suffixIds.length);
      return { start, end, text: part, ids: Int32Array.of(...prefixIds, ...body, ...suffixIds) };
    },
    score(pieces, wanted) {
      return batcher.submit(
        pieces.map(({ ids }) => (ids.length > 0 ? ids : nothing)),
        wanted,
      );
    },
    async release() {
      await batcher.close();
      await session.release();
    },
  };
}
