/** SentencePiece files as the tokenizers of the models that ship them: which ids, which normaliser, which specials.
 * Source: https://github.com/huggingface/transformers/blob/main/src/transformers/convert_slow_tokenizer.py */
import { EngineError } from "../error.ts";
import type { Piece, SentencePieceModel } from "./sentencepiece.ts";
import type { Json } from "./stages.ts";

/** The model families that are known to ship SentencePiece files. */
export type SpmFamily = "deberta-v2" | "xlm-roberta" | "t5";

const SPACE = "▁";

/**
 * A SentencePiece file in the form of `tokenizer.json`; `config` is the content of `tokenizer_config.json`.
 * @throws EngineError TOKENIZER when a special token of the family is not among the pieces.
 * @example
 * const json = spmTokenizer(parseSentencePiece(file), { family: "t5", config: {} });
 */
export function spmTokenizer(
  model: SentencePieceModel,
  { family, config }: { readonly family: SpmFamily; readonly config: Json },
): Json {
  if (family === "deberta-v2") return deberta(model, config);
  return family === "xlm-roberta" ? xlmRoberta(model, config) : t5(model, config);
}

/** DeBERTa v2 and v3: the file's own ids; [MASK] follows the last piece. */
function deberta(model: SentencePieceModel, config: Json): Json {
  const { pieces } = model;
  const idOf = (token: string): number => specialId(pieces, token);
  const added = ["[PAD]", "[CLS]", "[SEP]"].map((token) => addedToken(token, idOf(token)));
  const mask = pieces.findIndex(({ text }) => text === "[MASK]");
  const metaspace = metaspaceOf(config);
  const punctuation = { type: "Punctuation", behavior: "Isolated" };
  return {
    added_tokens: [
      ...added,
      { ...addedToken("[UNK]", model.unknownId), normalized: true },
      addedToken("[MASK]", mask < 0 ? pieces.length : mask),
      ...userTokens(pieces, 0),
    ],
    normalizer: sequence([
      ...(config["do_lower_case"] === true ? [{ type: "Lowercase" }] : []),
      { type: "Strip", strip_left: true, strip_right: true },
      ...characterMap(model),
      { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
    ]),
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: config["split_by_punct"] === true ? [punctuation, metaspace] : [metaspace],
    },
    post_processor: template([["[CLS]", idOf("[CLS]")]], [["[SEP]", idOf("[SEP]")]]),
    model: modelOf(model, pieces, model.unknownId),
  };
}

/** XLM-RoBERTa: fairseq's four specials come first, the file's first three pieces are left out. */
function xlmRoberta(model: SentencePieceModel, config: Json): Json {
  const specials = ["<s>", "<pad>", "</s>", "<unk>"];
  const pieces = [...specials.map(special), ...model.pieces.slice(3), special("<mask>")];
  return {
    added_tokens: [
      ...specials.map(addedToken),
      { ...addedToken("<mask>", pieces.length - 1), lstrip: true },
      ...userTokens(model.pieces.slice(3), specials.length),
    ],
    ...spaced(model, config),
    post_processor: template([["<s>", 0]], [["</s>", 2]]),
    model: modelOf(model, pieces, 3),
  };
}

/** T5: the file's own ids, then its sentinels, the last one first; only </s> is put round a text. */
function t5(model: SentencePieceModel, config: Json): Json {
  const count = typeof config["extra_ids"] === "number" ? config["extra_ids"] : 100;
  const sentinels = Array.from({ length: count }, (_, i) => `<extra_id_${count - 1 - i}>`);
  const pieces = [...model.pieces, ...sentinels.map(special)];
  const own = model.pieces
    .map(({ text, kind }, id) => ({ text, kind, id }))
    .filter(({ kind }) => kind === "control" || kind === "unknown");
  return {
    added_tokens: [
      ...own.map(({ text, id }) => addedToken(text, id)),
      ...sentinels.map((token, i) => addedToken(token, model.pieces.length + i)),
      ...userTokens(model.pieces, 0),
    ],
    ...spaced(model, config),
    post_processor: template([], [["</s>", specialId(model.pieces, "</s>")]]),
    model: modelOf(model, pieces, model.unknownId),
  };
}

const special = (text: string): Piece => ({ text, score: 0, kind: "control" });

function addedToken(content: string, id: number) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** Pieces that their maker defined by hand are never cut. */
function userTokens(pieces: readonly Piece[], firstId: number) {
  return pieces.flatMap(({ text, kind }, i) =>
    kind === "user" && text !== "[MASK]" ? [{ ...addedToken(text, firstId + i), special: false }] : [],
  );
}

function specialId(pieces: readonly Piece[], token: string): number {
  const id = pieces.findIndex(({ text }) => text === token);
  if (id >= 0) return id;
  throw new EngineError("TOKENIZER", "a SentencePiece file lacks a special token", {
    where: "pieces",
    expected: token,
  });
}

function characterMap({ characterMap: map }: SentencePieceModel): Json[] {
  return map.length === 0 ? [] : [{ type: "Precompiled", precompiled_charsmap: Buffer.from(map).toString("base64") }];
}

/** The stages that most families share. */
function spaced(model: SentencePieceModel, config: Json): Json {
  return {
    normalizer: sequence([
      ...characterMap(model),
      { type: "Strip", strip_left: false, strip_right: true },
      { type: "Replace", pattern: { Regex: " {2,}" }, content: SPACE },
    ]),
    pre_tokenizer: metaspaceOf(config),
  };
}

/** Without `legacy` only the text's first word gets a space, not every word after an added token. */
function metaspaceOf(config: Json): Json {
  const scheme = config["legacy"] === false ? "first" : "always";
  return {
    type: "Metaspace",
    replacement: SPACE,
    prepend_scheme: config["add_prefix_space"] === false ? "never" : scheme,
    split: true,
  };
}

const sequence = (normalizers: readonly Json[]): Json => ({ type: "Sequence", normalizers });

type SpecialEntry = readonly [token: string, id: number];

function template(prefix: readonly SpecialEntry[], suffix: readonly SpecialEntry[]): Json {
  const place = ([token]: SpecialEntry): Json => ({ SpecialToken: { id: token, type_id: 0 } });
  return {
    type: "TemplateProcessing",
    single: [...prefix.map(place), { Sequence: { id: "A", type_id: 0 } }, ...suffix.map(place)],
    special_tokens: Object.fromEntries(
      [...prefix, ...suffix].map(([token, id]) => [token, { id: token, ids: [id], tokens: [token] }]),
    ),
  };
}

function modelOf(model: SentencePieceModel, pieces: readonly Piece[], unknownId: number): Json {
  if (model.algorithm === "unigram") {
    return {
      type: "Unigram",
      vocab: pieces.map(({ text, score }) => [text, score]),
      unk_id: unknownId,
      byte_fallback: model.hasByteFallback,
    };
  }
  const vocab = new Map(pieces.map(({ text }, id) => [text, id]));
  return {
    type: "BPE",
    vocab: Object.fromEntries(vocab),
    merges: mergesOf(pieces, vocab),
    unk_token: pieces[unknownId]?.text,
    fuse_unk: true,
    byte_fallback: model.hasByteFallback,
  };
}

/** A SentencePiece BPE file ranks the pieces; every way to make a piece of two others is a merge of the piece's rank. */
function mergesOf(pieces: readonly Piece[], vocab: ReadonlyMap<string, number>): (readonly [string, string])[] {
  const normal = new Set(pieces.filter(({ kind }) => kind === "normal").map(({ text }) => text));
  return pieces
    .map((piece, id) => ({ ...piece, id }))
    .filter(({ kind, text, id }) => kind === "normal" && vocab.get(text) === id)
    .sort((a, b) => b.score - a.score || a.id - b.id)
    .flatMap(({ text }) => {
      const ways: (readonly [string, string])[] = [];
      for (let at = 1; at < text.length; at++) {
        const [left, right] = [text.slice(0, at), text.slice(at)];
        if (normal.has(left) && normal.has(right)) ways.push([left, right]);
      }
      return ways.sort((a, b) => rankOf(vocab, a) - rankOf(vocab, b));
    });
}

const rankOf = (vocab: ReadonlyMap<string, number>, [left]: readonly [string, string]): number => vocab.get(left) ?? 0;
