/** SentencePiece's way with spaces: each becomes a visible character and begins a word.
 * Source: https://github.com/huggingface/tokenizers/blob/main/tokenizers/src/pre_tokenizers/metaspace.rs */
import { EngineError } from "../error.ts";
import { alignedBuilder, sourceEnd, sourceStart } from "./aligned-text.ts";
import { codePointAt } from "./characters.ts";
import { flagAt, optionalStringAt } from "./fields.ts";
import type { Json, PreTokenizer, Words } from "./stages.ts";

interface MetaspaceOptions {
  readonly mark: string;
  readonly scheme: "always" | "first" | "never";
  readonly splits: boolean;
}

/**
 * The pre-tokenizer of a `{"type": "Metaspace", …}` entry, older forms (`add_prefix_space`) included.
 * @throws EngineError TOKENIZER when an option is unknown.
 * @example
 * metaspace({ replacement: "▁" }, "pre_tokenizer"); // "a b" → "▁a", "▁b"
 */
export function metaspace(config: Json, where: string): PreTokenizer {
  const mark = optionalStringAt(config, "replacement", where) ?? "▁";
  const scheme =
    optionalStringAt(config, "prepend_scheme", where) ??
    (flagAt(config, "add_prefix_space", { where, fallback: true }) ? "always" : "never");
  if (mark.length !== 1) {
    throw new EngineError("TOKENIZER", "the replacement is not one character", {
      where: `${where}.replacement`,
      got: mark,
    });
  }
  if (scheme !== "always" && scheme !== "first" && scheme !== "never") {
    throw new EngineError("TOKENIZER", "the prepend scheme is not supported", {
      where: `${where}.prepend_scheme`,
      got: scheme,
    });
  }
  const options = { mark, scheme, splits: flagAt(config, "split", { where, fallback: true }) } as const;
  return { split: (input) => cut(marked(input, options), options) };
}

/** Every space is the mark, and words begin with one; where one was put there, it stands for the first character. */
function marked(input: Words, { mark, scheme }: MetaspaceOptions): Words {
  const { text: aligned, bounds } = input;
  const text = aligned.text.replaceAll(" ", mark);
  const lacksMark = (from: number): boolean =>
    text.charAt(from) !== mark && (scheme === "always" || (scheme === "first" && sourceStart(aligned, from) === 0));
  const out = alignedBuilder(text.length + bounds.length / 2);
  const moved = new Int32Array(bounds.length);
  const renamed = { ...aligned, text };
  for (let i = 0; i < bounds.length; i += 2) {
    const from = bounds[i] ?? 0;
    moved[i] = out.length;
    if (lacksMark(from)) {
      const last = codePointAt(text, from) > 0xffff ? from + 1 : from;
      out.push(mark, sourceStart(aligned, from), sourceEnd(aligned, last));
    }
    out.copy(renamed, from, bounds[i + 1] ?? 0);
    moved[i + 1] = out.length;
  }
  return { text: out.finish(), bounds: moved };
}

function cut(input: Words, { mark, splits }: MetaspaceOptions): Words {
  if (!splits) return input;
  const { text, bounds } = input;
  const out: number[] = [];
  for (let i = 0; i < bounds.length; i += 2) {
    const to = bounds[i + 1] ?? 0;
    for (let at = bounds[i] ?? 0; at < to; ) {
      const found = text.text.indexOf(mark, at + 1);
      const end = found < 0 ? to : Math.min(found, to);
      out.push(at, end);
      at = end;
    }
  }
  return { text, bounds: Int32Array.from(out) };
}
