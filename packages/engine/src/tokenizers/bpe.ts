/** Byte-pair encoding: a word starts as its characters, and the pair that was learned first is merged until none is left.
 * Source: https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/models/bpe */
import { EngineError } from "../error.ts";
import { codePointAt } from "./characters.ts";
import { flagAt, listAt, optionalStringAt } from "./fields.ts";
import { type PairTable, pairTable } from "./pair-table.ts";
import type { Json, Model, Pieces } from "./stages.ts";
import { byteTokens, readVocabulary } from "./vocabulary.ts";
import { remembered } from "./word-cache.ts";

interface Bpe {
  readonly vocabulary: ReadonlyMap<string, number>;
  /** Two token ids to the rank of their merge. */
  readonly ranks: PairTable;
  /** Rank to the id of the merged token. */
  readonly merged: Int32Array;
  readonly prefix: string;
  readonly suffix: string;
  readonly unknownId: number | undefined;
  readonly fusesUnknown: boolean;
  /** Id of each byte's token, where bytes stand in for unknown characters. */
  readonly bytes: readonly (number | undefined)[] | undefined;
}

const MAX_MERGES = 2 ** 21;

/**
 * The model of a `{"type": "BPE", …}` entry.
 * @throws EngineError TOKENIZER when the vocabulary or a merge is damaged, and for dropout, which is random.
 * @example
 * bpe({ vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"] }).pieces("abb"); // ids 2, 1; ends 2, 3
 */
export function bpe(config: Json): Model {
  const dropout = config["dropout"];
  if (dropout !== null && dropout !== undefined && dropout !== 0) {
    throw new EngineError("TOKENIZER", "BPE dropout is random and not supported", {
      where: "model.dropout",
      got: dropout,
    });
  }
  const model = readBpe(config);
  const ignoresMerges = flagAt(config, "ignore_merges", { where: "model", fallback: false });
  let vocabSize = 0;
  for (const id of model.vocabulary.values()) vocabSize = Math.max(vocabSize, id + 1);
  const cut = (word: string): Pieces => {
    const whole = ignoresMerges ? model.vocabulary.get(word) : undefined;
    return whole === undefined ? merge(symbolsOf(word, model), model) : { ids: [whole], ends: [word.length] };
  };
  return { vocabSize, idOf: (token) => model.vocabulary.get(token), pieces: remembered(cut) };
}

function readBpe(config: Json): Bpe {
  const vocabulary = readVocabulary(config["vocab"]);
  const prefix = optionalStringAt(config, "continuing_subword_prefix", "model") ?? "";
  const unknownToken = optionalStringAt(config, "unk_token", "model");
  const unknownId = unknownToken === undefined ? undefined : vocabulary.get(unknownToken);
  if (unknownToken !== undefined && unknownId === undefined) {
    throw new EngineError("TOKENIZER", "the vocabulary lacks its unknown token", {
      where: "model.unk_token",
      expected: unknownToken,
    });
  }
  return {
    vocabulary,
    ...readMerges(listAt(config, "merges", "model"), vocabulary, prefix),
    prefix,
    suffix: optionalStringAt(config, "end_of_word_suffix", "model") ?? "",
    unknownId,
    fusesUnknown: flagAt(config, "fuse_unk", { where: "model", fallback: false }),
    bytes: flagAt(config, "byte_fallback", { where: "model", fallback: false })
      ? byteTokens((token) => vocabulary.get(token))
      : undefined,
  };
}

function readMerges(
  merges: readonly unknown[],
  vocabulary: ReadonlyMap<string, number>,
  prefix: string,
): Pick<Bpe, "ranks" | "merged"> {
  if (merges.length >= MAX_MERGES) throw new EngineError("TOKENIZER", "too many merges", { where: "model.merges" });
  const ranks = pairTable(merges.length);
  const merged = new Int32Array(merges.length);
  for (const [rank, entry] of merges.entries()) {
    const [left, right] = pairOf(entry, rank);
    const ids = [left, right, left + right.slice(prefix.length)].map((token) => vocabulary.get(token));
    const [leftId, rightId, mergedId] = ids;
    if (leftId === undefined || rightId === undefined || mergedId === undefined) {
      throw new EngineError("TOKENIZER", "a merge is not in the vocabulary", {
        where: `model.merges[${rank}]`,
        got: `${left} ${right}`,
      });
    }
    ranks.set(leftId, rightId, rank);
    merged[rank] = mergedId;
  }
  return { ranks, merged };
}

function pairOf(entry: unknown, rank: number): readonly [string, string] {
  const parts: unknown = typeof entry === "string" ? entry.split(" ") : entry;
  if (Array.isArray(parts) && parts.length === 2 && parts.every((part) => typeof part === "string")) {
    return parts as [string, string];
  }
  throw new EngineError("TOKENIZER", "a merge is not a pair of tokens", { where: `model.merges[${rank}]` });
}

/** The symbols of a word with their units; one that was merged away has id −1. */
interface Symbols {
  readonly ids: number[];
  readonly starts: number[];
  readonly ends: number[];
}

/** The characters of a word. Those neither known, nor unknown to a vocabulary without unknown token, are left out. */
function symbolsOf(word: string, model: Bpe): Symbols {
  const { vocabulary, prefix, suffix, unknownId, fusesUnknown, bytes } = model;
  const ids: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let isAfterUnknown = false;
  for (let at = 0; at < word.length; ) {
    const next = codePointAt(word, at) > 0xffff ? at + 2 : at + 1;
    const character = (at > 0 ? prefix : "") + word.slice(at, next) + (next === word.length ? suffix : "");
    const id = vocabulary.get(character);
    const fallback = id === undefined && bytes ? idsOfBytes(character, bytes) : undefined;
    for (const known of id === undefined ? (fallback ?? []) : [id]) {
      ids.push(known);
      starts.push(at);
      ends.push(next);
    }
    const isUnknown = id === undefined && !fallback && unknownId !== undefined;
    if (isUnknown && isAfterUnknown && fusesUnknown) ends[ends.length - 1] = next;
    else if (isUnknown) {
      ids.push(unknownId);
      starts.push(at);
      ends.push(next);
    }
    isAfterUnknown = isUnknown;
    at = next;
  }
  return { ids, starts, ends };
}

function idsOfBytes(character: string, bytes: readonly (number | undefined)[]): number[] | undefined {
  const ids = Array.from(new TextEncoder().encode(character), (byte) => bytes[byte]);
  return ids.every((id) => id !== undefined) ? ids : undefined;
}

function merge({ ids, starts, ends }: Symbols, { ranks, merged }: Bpe): Pieces {
  const count = ids.length;
  const previous = Int32Array.from({ length: count }, (_, i) => i - 1);
  const next = Int32Array.from({ length: count }, (_, i) => (i + 1 < count ? i + 1 : -1));
  const heap = minHeap();
  const offer = (left: number, right: number): void => {
    if (left < 0 || right < 0) return;
    const rank = ranks.get(ids[left] ?? -1, ids[right] ?? -1);
    if (rank >= 0) heap.push(rank * 2 ** 32 + left);
  };
  for (let i = 0; i + 1 < count; i++) offer(i, i + 1);
  for (let top = heap.pop(); top >= 0; top = heap.pop()) {
    const left = top % 2 ** 32;
    const right = next[left] ?? -1;
    if (ids[left] === -1 || right < 0) continue;
    const newId = merged[(top - left) / 2 ** 32] ?? -1;
    const rank = ranks.get(ids[left] ?? -1, ids[right] ?? -1);
    if (rank < 0 || merged[rank] !== newId) continue; // one of the two has changed since
    const after = next[right] ?? -1;
    ids[left] = newId;
    ends[left] = ends[right] ?? 0;
    ids[right] = -1;
    next[left] = after;
    if (after >= 0) previous[after] = left;
    offer(previous[left] ?? -1, left);
    offer(left, after);
  }
  const isLeft = (_: number, i: number): boolean => ids[i] !== -1;
  return { ids: ids.filter(isLeft), starts: starts.filter(isLeft), ends: ends.filter(isLeft) };
}

/** Smallest number first; −1 when empty. */
function minHeap(): { push(value: number): void; pop(): number } {
  const heap: number[] = [];
  const at = (i: number): number => heap[i] ?? Number.POSITIVE_INFINITY;
  return {
    push(value) {
      let i = heap.length;
      heap.push(value);
      while (i > 0) {
        const parent = (i - 1) >> 1;
        if (at(parent) <= value) break;
        heap[i] = at(parent);
        i = parent;
      }
      heap[i] = value;
    },
    pop() {
      const top = heap[0];
      const last = heap.pop();
      if (top === undefined || last === undefined) return -1;
      if (heap.length === 0) return top;
      let i = 0;
      for (;;) {
        const child = at(2 * i + 2) < at(2 * i + 1) ? 2 * i + 2 : 2 * i + 1;
        if (at(child) >= last) break;
        heap[i] = at(child);
        i = child;
      }
      heap[i] = last;
      return top;
    },
  };
}
