/** A linear model as a scorer: windows of characters, evidence from the words that spoke for the attack. */
import { EngineError } from "../error.ts";
import { nextTurn } from "../infer/turn.ts";
import type { LinearModel } from "../linear/model.ts";
import { characterWindows } from "../linear/windows.ts";
import type { DetectorManifest } from "./manifest.ts";
import type { Piece, Scorer } from "./scorer.ts";

/** Words that say at least this share of what the strongest word says are evidence. */
const STRONG = 0.25;
/** Evidence words this close together are one stretch. */
const GAP = 24;

/**
 * A scorer over a linear model.
 * @throws EngineError CONFIG when its labels are not the manifest's.
 * @example
 * const scorer = linearScorer(await loadLinear("models/linear"), await readManifest("models/linear"));
 */
export function linearScorer(
  model: LinearModel,
  manifest: Pick<DetectorManifest, "labels" | "benignLabels" | "windowTokens" | "overlapTokens">,
): Scorer {
  const { labels, benignLabels } = manifest;
  if (model.labels.join() !== labels.join()) {
    throw new EngineError("CONFIG", "the model has other labels", { expected: labels, got: model.labels });
  }
  const layout = { size: manifest.windowTokens, overlap: manifest.overlapTokens };
  const piece = (text: string, start: number, end: number): Piece => ({
    start,
    end,
    ...readable(text.slice(start, end)),
  });
  return {
    memoryBytes: model.memoryBytes,
    cut(text) {
      const pieces = characterWindows(text, layout).map(({ start, end }) => piece(text, start, end));
      return { pieces, tokens: text.length };
    },
    piece,
    async score(pieces, { signal } = {}) {
      const out: ArrayLike<number>[] = [];
      for (const [i, { text }] of pieces.entries()) {
        if (i % 256 === 255) await nextTurn();
        if (signal?.aborted) throw new EngineError("CANCELLED", "the caller aborted", {}, { cause: signal.reason });
        out.push(model.logits(text));
      }
      return out;
    },
    focus({ text, start }, logits) {
      const attacks = labels.filter((label) => !benignLabels.includes(label));
      const of = (label: string): number => logits[labels.indexOf(label)] ?? 0;
      const label = attacks.reduce((a, b) => (of(b) > of(a) ? b : a));
      const words = model.contributions(text, label, benignLabels[0]);
      const limit = STRONG * (words[0]?.score ?? 0);
      const strong = words.filter(({ score }) => score > 0 && score >= limit).sort((a, b) => a.start - b.start);
      const ranges: { start: number; end: number }[] = [];
      for (const word of strong) {
        const last = ranges.at(-1);
        if (last && word.start - last.end <= GAP) last.end = Math.max(last.end, word.end);
        else ranges.push({ start: word.start, end: word.end });
      }
      return ranges.map((range) => ({ start: start + range.start, end: start + range.end }));
    },
    release: async () => undefined,
  };
}

function readable(text: string): { text: string; ids: Int32Array } {
  return { text, ids: Int32Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)) };
}
