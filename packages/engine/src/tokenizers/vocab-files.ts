/** Tokenizers of folders without `tokenizer.json`: `vocab.txt` (WordPiece), or `vocab.json` with `merges.txt` (byte-level BPE).
 * Source: https://github.com/huggingface/transformers/blob/main/src/transformers/convert_slow_tokenizer.py */
import { EngineError } from "../error.ts";
import type { Json } from "./stages.ts";

interface Special {
  readonly token: string;
  readonly id: number;
}

/**
 * `vocab.txt` in the form of `tokenizer.json`; case, accents and specials as `tokenizer_config.json` says.
 * @throws EngineError TOKENIZER when a special token is not in the vocabulary.
 * @example
 * wordPieceTokenizer("[PAD]\n[UNK]\n[CLS]\n[SEP]\na", { do_lower_case: true });
 */
export function wordPieceTokenizer(text: string, config: Json): Json {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  if (lines.at(-1) === "") lines.pop();
  const vocab: Record<string, number> = Object.fromEntries(lines.map((token, id) => [token, id]));
  const specials = specialsOf(config, vocab, {
    cls: "[CLS]",
    sep: "[SEP]",
    unk: "[UNK]",
    pad: "[PAD]",
    mask: "[MASK]",
  });
  return {
    added_tokens: addedTokens(config, specials),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: config["tokenize_chinese_chars"] ?? true,
      strip_accents: config["strip_accents"] ?? null,
      lowercase: config["do_lower_case"] ?? true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: { type: "BertProcessing", cls: around(specials, "cls"), sep: around(specials, "sep") },
    model: { type: "WordPiece", vocab, unk_token: specials["unk"]?.token },
  };
}

/**
 * `vocab.json` and `merges.txt` in the form of `tokenizer.json`. A folder whose configuration names a class token is
 * of RoBERTa's kind and puts it round texts; GPT-2's kind puts nothing.
 * @throws EngineError TOKENIZER when a special token is not in the vocabulary.
 * @example
 * byteLevelTokenizer({ vocab: { a: 0, b: 1, ab: 2 }, merges: "#version: 0.2\na b\n" }, {});
 */
export function byteLevelTokenizer(files: { readonly vocab: Json; readonly merges: string }, config: Json): Json {
  const vocab = files.vocab as Record<string, number>;
  const isRoberta = tokenOf(config["cls_token"]) !== undefined || ("<s>" in vocab && "</s>" in vocab);
  const defaults: Record<string, string> = isRoberta
    ? { cls: "<s>", sep: "</s>", unk: "<unk>", pad: "<pad>", mask: "<mask>" }
    : {};
  const specials = specialsOf(config, vocab, defaults);
  const addsSpace = config["add_prefix_space"] === true;
  const byteLevel = { type: "ByteLevel", add_prefix_space: addsSpace, trim_offsets: isRoberta, use_regex: true };
  const added = addedTokens(config, specials);
  if (!isRoberta && "<|endoftext|>" in vocab && !added.some(({ content }) => content === "<|endoftext|>")) {
    added.push(addedToken({ token: "<|endoftext|>", id: vocab["<|endoftext|>"] ?? 0 }));
  }
  return {
    added_tokens: added,
    pre_tokenizer: byteLevel,
    post_processor: isRoberta
      ? {
          type: "RobertaProcessing",
          cls: around(specials, "cls"),
          sep: around(specials, "sep"),
          trim_offsets: true,
          add_prefix_space: addsSpace,
        }
      : byteLevel,
    model: { type: "BPE", vocab, merges: mergeLines(files.merges) },
  };
}

function mergeLines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/\r$/, ""))
    .filter((line, i) => line !== "" && !(i === 0 && line.startsWith("#version")));
}

type Specials = Readonly<Record<string, Special>>;

/** Those of the configuration, else those by default where the vocabulary has them. */
function specialsOf(config: Json, vocab: Readonly<Record<string, number>>, defaults: Json): Specials {
  const found: Record<string, Special> = {};
  for (const name of ["cls", "sep", "unk", "pad", "mask"]) {
    const token = tokenOf(config[`${name}_token`]) ?? tokenOf(defaults[name]);
    const id = token === undefined ? undefined : vocab[token];
    if (token !== undefined && id !== undefined) found[name] = { token, id };
  }
  return found;
}

function tokenOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const content = typeof value === "object" && value !== null ? (value as Json)["content"] : undefined;
  return typeof content === "string" ? content : undefined;
}

function around(specials: Specials, name: string): readonly [string, number] {
  const special = specials[name];
  if (special) return [special.token, special.id];
  throw new EngineError("TOKENIZER", "the vocabulary lacks a special token", { where: `${name}_token` });
}

function addedToken({ token, id }: Special) {
  return { id, content: token, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** The specials, and what `added_tokens_decoder` of the configuration adds or says otherwise. */
function addedTokens(config: Json, specials: Specials) {
  const byContent = new Map(Object.values(specials).map((entry) => [entry.token, addedToken(entry)]));
  const decoder = config["added_tokens_decoder"];
  for (const [id, entry] of Object.entries(typeof decoder === "object" && decoder !== null ? decoder : {})) {
    const content = tokenOf(entry);
    if (content === undefined) continue;
    const known = addedToken({ token: content, id: Number(id) });
    byContent.set(content, { ...known, ...(entry as object), id: Number(id), content });
  }
  return [...byContent.values()];
}
