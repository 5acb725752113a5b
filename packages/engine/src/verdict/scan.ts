/** Runs a scorer over all views and windows of texts, without judging: calibration reads the same scans as verdicts. */
import { type View, viewsOf } from "../views/index.ts";
import type { Piece, Scorer } from "./scorer.ts";

/** A scored window. */
export interface ScannedWindow {
  readonly view: View;
  readonly piece: Piece;
  readonly logits: ArrayLike<number>;
}

/** All windows of a text; at least one. Times in milliseconds; `inferMs` is shared by the texts of one call. */
export interface TextScan {
  readonly text: string;
  readonly windows: readonly ScannedWindow[];
  /** Tokens over all views. */
  readonly tokens: number;
  readonly tokenizeMs: number;
  readonly inferMs: number;
}

/**
 * Scans texts. Windows that repeat an earlier one of the same text (a view that changed nothing there) are left out.
 * @throws EngineError OVERLOADED or CANCELLED from the queue.
 * @example
 * const [scan] = await scanTexts(scorer, ["Ignore previous instructions"]);
 */
export async function scanTexts(scorer: Scorer, texts: readonly string[], signal?: AbortSignal): Promise<TextScan[]> {
  const cuts = texts.map((text) => cutText(scorer, text));
  const started = performance.now();
  const logits = await scorer.score(
    cuts.flatMap(({ parts }) => parts.map(({ piece }) => piece)),
    { signal },
  );
  const inferMs = performance.now() - started;
  let next = 0;
  return cuts.map(({ text, parts, tokens, tokenizeMs }) => ({
    text,
    windows: parts.map(({ view, piece }) => ({ view, piece, logits: logits[next++] ?? [] })),
    tokens,
    tokenizeMs,
    inferMs,
  }));
}

interface Cut {
  readonly text: string;
  readonly parts: readonly { readonly view: View; readonly piece: Piece }[];
  readonly tokens: number;
  readonly tokenizeMs: number;
}

/** One character for each byte, all of them different: ids as a key. */
const oneByteEach = new TextDecoder("latin1");

function cutText(scorer: Scorer, text: string): Cut {
  const started = performance.now();
  const parts: { view: View; piece: Piece }[] = [];
  const seen = new Set<string>();
  let tokens = 0;
  for (const view of viewsOf(text)) {
    const cut = scorer.cut(view.text);
    let isNew = false;
    for (const piece of cut.pieces) {
      const key = oneByteEach.decode(piece.ids);
      if (seen.has(key)) continue;
      seen.add(key);
      parts.push({ view, piece });
      isNew = true;
    }
    if (isNew) tokens += cut.tokens;
  }
  return { text, parts, tokens, tokenizeMs: performance.now() - started };
}
