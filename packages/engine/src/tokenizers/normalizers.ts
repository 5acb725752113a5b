/** Makes the normaliser that a tokenizer file describes. */
import { EngineError } from "../error.ts";
import { bertNormalizer } from "./bert-normalizer.ts";
import { byteLevelNormalizer } from "./byte-level.ts";
import { listAt, objectAt } from "./fields.ts";
import { precompiled } from "./precompiled.ts";
import type { Json, Normalizer } from "./stages.ts";
import { lowercase, nmt, prepend, replace, strip, stripAccents } from "./text-normalizers.ts";
import { unicodeNormalizer } from "./unicode-normalizers.ts";

/**
 * The normaliser of a `normalizer` entry; null is the one that changes nothing.
 * @throws EngineError TOKENIZER naming the part that is unknown or damaged.
 * @example
 * readNormalizer({ type: "Lowercase" }).normalize({ text: "A", base: 0 }).text; // "a"
 */
export function readNormalizer(value: unknown, where = "normalizer"): Normalizer {
  if (value === null || value === undefined) return { normalize: (input) => input };
  const config = objectAt(value, where);
  const type = config["type"];
  switch (type) {
    case "Sequence":
      return sequence(config, where);
    case "BertNormalizer":
      return bertNormalizer(config);
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD":
      return unicodeNormalizer(type);
    case "Lowercase":
      return lowercase();
    case "Strip":
      return strip(config, where);
    case "StripAccents":
      return stripAccents();
    case "Replace":
      return replace(config, where);
    case "Prepend":
      return prepend(config, where);
    case "Nmt":
      return nmt();
    case "Precompiled":
      return precompiled(config, where);
    case "ByteLevel":
      return byteLevelNormalizer();
    default:
      throw new EngineError("TOKENIZER", "normaliser is not supported", { where, got: type });
  }
}

function sequence(config: Json, where: string): Normalizer {
  const parts = listAt(config, "normalizers", where).map((part, i) =>
    readNormalizer(part, `${where}.normalizers[${i}]`),
  );
  return { normalize: (input) => parts.reduce((text, part) => part.normalize(text), input) };
}
