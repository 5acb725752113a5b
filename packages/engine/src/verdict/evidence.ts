/** Narrows the windows that were hit to the sentences that carry the hit: one extra batch for all texts of a call. */
import { EngineError } from "../error.ts";
import type { View } from "../views/index.ts";
import { attackLogOdds, logOddsOf, sigmoid } from "./pooling.ts";
import type { ScannedWindow } from "./scan.ts";
import type { Piece, Scorer } from "./scorer.ts";
import { segmentsOf } from "./segments.ts";
import type { Span } from "./spans.ts";

/** How evidence is judged: the detector's own calibration. */
export interface EvidenceRule {
  readonly benign: readonly boolean[];
  readonly temperature: number;
  readonly multiLabel?: boolean;
  readonly threshold: number;
  /** Short windows stand as a whole. */
  readonly isBrief?: boolean | undefined;
}

/** Characters of a window that is short. */
const SHORT = 160;

/** At most this many windows of a text are narrowed, the highest scores; the others stand as a whole. */
const MAX_WINDOWS = 4;
/** Sentences scored in one window. */
const MAX_SEGMENTS = 12;
/** Log odds by which a sentence may fall short of the likeliest one. */
const NEAR = 1;
/** Windows of a text that become spans. */
const MAX_HITS = 16;

interface Hit {
  readonly text: number; // index into the call's texts
  readonly window: ScannedWindow;
  readonly odds: number;
  readonly segments: readonly Piece[]; // empty: the window stands as a whole
}

/**
 * Spans in UTF-16 offsets of the texts as sent, unmerged, for each text.
 * A window is a hit when it alone passes the threshold, or when it is the likeliest one of its text.
 * @param texts windows of each attack
 * @throws EngineError CANCELLED from the queue; when it is full, hit windows stand as a whole.
 * @example
 * const [hits] = await findEvidence(scorer, [scan.windows], { benign, temperature: 1, threshold: 0.9 });
 */
export async function findEvidence(
  scorer: Scorer,
  texts: readonly (readonly ScannedWindow[])[],
  rule: EvidenceRule,
  signal?: AbortSignal,
): Promise<Span[][]> {
  const hits = texts.flatMap((windows, text) => hitsOf(scorer, windows, text, rule));
  const scores = await scoreSegments(scorer, hits, signal);
  const spans: Span[][] = texts.map(() => []);
  let next = 0;
  for (const { text, window, odds, segments } of hits) {
    const own = spans[text];
    const scored = (scores ? segments : []).map((piece) => {
      const logits = scores?.[next++] ?? [];
      return { piece, logits, odds: attackLogOdds(logits, rule.benign, rule) };
    });
    const telling = tellingOf(scored, logOddsOf(rule.threshold));
    const found = telling.length > 0 ? telling : [{ piece: window.piece, logits: window.logits, odds }];
    for (const hit of found) {
      const parts = scorer.focus?.(hit.piece, hit.logits) ?? [];
      for (const part of parts.length > 0 ? parts : [hit.piece]) own?.push(spanOf(window.view, part, hit.odds));
    }
  }
  return spans;
}

/**
 * The sentences that pass alone; if none does, those that are likelier an attack than not and nearly the likeliest.
 * Measured on pairs of documents with and without an instruction in them: docs/decisions/0042-cascade.md.
 */
function tellingOf<Segment extends { odds: number }>(segments: readonly Segment[], limit: number): Segment[] {
  const passing = segments.filter(({ odds }) => odds >= limit);
  if (passing.length > 0) return passing;
  const highest = segments.reduce((most, { odds }) => Math.max(most, odds), Number.NEGATIVE_INFINITY);
  return segments.filter(({ odds }) => odds >= Math.max(0, highest - NEAR));
}

/** Nothing when the queue is full: a verdict that is already known is not lost for want of finer evidence. */
async function scoreSegments(
  scorer: Scorer,
  hits: readonly Hit[],
  signal: AbortSignal | undefined,
): Promise<ArrayLike<number>[] | undefined> {
  try {
    return await scorer.score(
      hits.flatMap(({ segments }) => segments),
      { signal, isFollowUp: true },
    );
  } catch (error) {
    if (error instanceof EngineError && error.code === "OVERLOADED") return undefined;
    throw error;
  }
}

function hitsOf(scorer: Scorer, windows: readonly ScannedWindow[], text: number, rule: EvidenceRule): Hit[] {
  const limit = logOddsOf(rule.threshold);
  return windows
    .map((window) => ({ window, odds: attackLogOdds(window.logits, rule.benign, rule) }))
    .sort((a, b) => b.odds - a.odds)
    .filter(({ odds }, i) => i === 0 || (odds >= limit && i < MAX_HITS))
    .map(({ window, odds }, i) => {
      const { start, end } = window.piece;
      const isWhole = i >= MAX_WINDOWS || (rule.isBrief === true && end - start <= SHORT);
      const segments = !isWhole ? segmentsOf(window.view.text, start, end, MAX_SEGMENTS) : [];
      const pieces = segments.length > 1 ? segments.map((s) => scorer.piece(window.view.text, s.start, s.end)) : [];
      return { text, window, odds, segments: pieces };
    });
}

function spanOf(view: View, piece: { start: number; end: number }, odds: number): Span {
  const { start, end } = view.toSource(piece.start, piece.end);
  return { start, end, score: sigmoid(odds), view: view.name };
}
