/** Unigram: of all ways to cut a word into pieces, the one with the highest sum of scores (Viterbi).
 * Source: https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/models/unigram/model.rs */
import { EngineError } from "../error.ts";
import { codePointAt } from "./characters.ts";
import { flagAt, listAt } from "./fields.ts";
import type { Json, Model, Pieces } from "./stages.ts";
import { type Trie, trie } from "./trie.ts";
import { byteTokens } from "./vocabulary.ts";
import { remembered } from "./word-cache.ts";

/** What an unknown character costs beyond the least likely piece. */
const UNKNOWN_PENALTY = 10;

interface Unigram {
  readonly tokens: Trie;
  readonly scores: Float64Array;
  readonly unknownId: number;
  readonly unknownScore: number;
  readonly bytes: readonly (number | undefined)[] | undefined;
}

/**
 * The model of a `{"type": "Unigram", …}` entry. Neighbouring unknown characters are one piece.
 * @throws EngineError TOKENIZER when the vocabulary is not a list of tokens and scores, or `unk_id` is not in it.
 * @example
 * unigram({ vocab: [["?", 0], ["a", -1], ["b", -1], ["ab", -1.5]], unk_id: 0 }).pieces("abb"); // ids 3, 2; ends 2, 3
 */
export function unigram(config: Json): Model {
  const model = readUnigram(config);
  return {
    vocabSize: model.scores.length,
    idOf(token) {
      const id = model.tokens.find(token);
      return id < 0 ? undefined : id;
    },
    pieces: remembered((word) => piecesOf(word, model)),
  };
}

function readUnigram(config: Json): Unigram {
  const entries = listAt(config, "vocab", "model");
  const scores = new Float64Array(entries.length);
  let least = Number.POSITIVE_INFINITY;
  const names = entries.map((entry, i) => {
    const [token, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof token !== "string" || typeof score !== "number" || !Number.isFinite(score)) {
      throw new EngineError("TOKENIZER", "a vocabulary entry is not a token with its score", {
        where: `model.vocab[${i}]`,
      });
    }
    scores[i] = score;
    least = Math.min(least, score);
    return token;
  });
  const unknownId = config["unk_id"];
  if (typeof unknownId !== "number" || !Number.isInteger(unknownId) || unknownId < 0 || unknownId >= names.length) {
    throw new EngineError("TOKENIZER", "the unknown token is not in the vocabulary", {
      where: "model.unk_id",
      got: unknownId,
    });
  }
  const tokens = trie(names);
  const idOf = (token: string): number | undefined => {
    const id = tokens.find(token);
    return id < 0 ? undefined : id;
  };
  const hasBytes = flagAt(config, "byte_fallback", { where: "model", fallback: false });
  return {
    tokens,
    scores,
    unknownId,
    unknownScore: least - UNKNOWN_PENALTY,
    bytes: hasBytes ? byteTokens(idOf) : undefined,
  };
}

function piecesOf(word: string, model: Unigram): Pieces {
  const { from, best } = bestPath(word, model);
  const pieces = { ids: [] as number[], starts: [] as number[], ends: [] as number[] };
  for (let end = word.length; end > 0; ) {
    let start = from[end] ?? 0;
    let id = best[end] ?? 0;
    if (id === model.unknownId) {
      while (start > 0 && best[start] === model.unknownId) start = from[start] ?? 0;
      const fused = model.tokens.find(word.slice(start, end));
      if (fused >= 0) id = fused;
      else if (pushBytes(word.slice(start, end), { start, end }, model, pieces)) {
        end = start;
        continue;
      }
    }
    pieces.ids.push(id);
    pieces.starts.push(start);
    pieces.ends.push(end);
    end = start;
  }
  return { ids: pieces.ids.reverse(), starts: pieces.starts.reverse(), ends: pieces.ends.reverse() };
}

/** For each unit that a piece can end at: where the best one starts, and its id. */
function bestPath(word: string, { tokens, scores, unknownId, unknownScore }: Unigram) {
  const size = word.length;
  const total = new Float64Array(size + 1);
  const from = new Int32Array(size + 1).fill(-1);
  const best = new Int32Array(size + 1);
  const offer = (start: number, end: number, id: number, score: number): void => {
    if ((from[end] ?? 0) >= 0 && score <= (total[end] ?? 0)) return;
    total[end] = score;
    from[end] = start;
    best[end] = id;
  };
  for (let start = 0; start < size; ) {
    const next = codePointAt(word, start) > 0xffff ? start + 2 : start + 1;
    const here = total[start] ?? 0;
    let isKnown = false;
    let node = 0;
    for (let at = start; at < size; at++) {
      node = tokens.step(node, word.charCodeAt(at));
      if (node < 0) break;
      const id = tokens.valueAt(node);
      if (id < 0) continue;
      offer(start, at + 1, id, (scores[id] ?? 0) + here);
      if (at + 1 === next) isKnown = true;
    }
    if (!isKnown) offer(start, next, unknownId, unknownScore + here);
    start = next;
  }
  return { from, best };
}

/** Bytes instead of the unknown token, last one first, each standing for the whole stretch. False where a byte has no token. */
function pushBytes(
  unknown: string,
  { start, end }: { readonly start: number; readonly end: number },
  { bytes }: Unigram,
  pieces: { ids: number[]; starts: number[]; ends: number[] },
): boolean {
  if (!bytes) return false;
  const ids = Array.from(new TextEncoder().encode(unknown), (byte) => bytes[byte]);
  if (ids.some((id) => id === undefined)) return false;
  for (const id of ids.reverse()) {
    pieces.ids.push(id ?? 0);
    pieces.starts.push(start);
    pieces.ends.push(end);
  }
  return true;
}
