/** What is put round one sequence: [CLS] … [SEP] and the like. Pairs of sequences are not needed by classifiers.
 * Source: https://github.com/huggingface/tokenizers/tree/main/tokenizers/src/processors */
import { EngineError } from "../error.ts";
import { flagAt, listAt, objectAt } from "./fields.ts";
import type { Json, OffsetTrim, PostProcessor } from "./stages.ts";
import { isTokenId } from "./vocabulary.ts";

const NOTHING: PostProcessor = { prefixIds: [], suffixIds: [], trims: [] };

/**
 * The ids that a `post_processor` entry puts before and after one sequence (none for null), and its cuts of offsets.
 * @throws EngineError TOKENIZER naming the part that is unknown or damaged.
 * @example
 * readPostProcessor({ type: "BertProcessing", cls: ["[CLS]", 2], sep: ["[SEP]", 3] }); // prefixIds [2], suffixIds [3]
 */
export function readPostProcessor(value: unknown, where = "post_processor"): PostProcessor {
  if (value === null || value === undefined) return NOTHING;
  const config = objectAt(value, where);
  switch (config["type"]) {
    case "Sequence":
      return sequence(config, where);
    case "TemplateProcessing":
      return { ...templateProcessing(config, where), trims: [] };
    case "BertProcessing":
      return { ...around(config, where), trims: [] };
    case "RobertaProcessing":
      return { ...around(config, where), trims: trimsOf(config, where) };
    case "ByteLevel":
      return { ...NOTHING, trims: trimsOf(config, where) };
    default:
      throw new EngineError("TOKENIZER", "post-processor is not supported", { where, got: config["type"] });
  }
}

/** Later processors put theirs round what the earlier ones made. */
function sequence(config: Json, where: string): PostProcessor {
  return listAt(config, "processors", where)
    .map((part, i) => readPostProcessor(part, `${where}.processors[${i}]`))
    .reduce(
      (inner, outer) => ({
        prefixIds: [...outer.prefixIds, ...inner.prefixIds],
        suffixIds: [...inner.suffixIds, ...outer.suffixIds],
        trims: [...inner.trims, ...outer.trims],
      }),
      NOTHING,
    );
}

function trimsOf(config: Json, where: string): OffsetTrim[] {
  if (!flagAt(config, "trim_offsets", { where, fallback: true })) return [];
  return [{ addsPrefixSpace: flagAt(config, "add_prefix_space", { where, fallback: true }) }];
}

type Around = Pick<PostProcessor, "prefixIds" | "suffixIds">;

function around(config: Json, where: string): Around {
  return { prefixIds: [pairId(config["cls"], `${where}.cls`)], suffixIds: [pairId(config["sep"], `${where}.sep`)] };
}

function templateProcessing(config: Json, where: string): Around {
  const specials = config["special_tokens"] as Readonly<Record<string, Json>> | undefined;
  const prefixIds: number[] = [];
  const suffixIds: number[] = [];
  let sequences = 0;
  for (const [i, value] of listAt(config, "single", where).entries()) {
    const item = objectAt(value, `${where}.single[${i}]`);
    if (item["Sequence"]) {
      sequences += 1;
      continue;
    }
    const name = (item["SpecialToken"] as Json | undefined)?.["id"];
    const ids = typeof name === "string" ? specials?.[name]?.["ids"] : undefined;
    if (!Array.isArray(ids) || !ids.every(isTokenId)) {
      throw new EngineError("TOKENIZER", "the template names an unknown special token", {
        where: `${where}.single[${i}]`,
        got: name,
      });
    }
    (sequences === 0 ? prefixIds : suffixIds).push(...ids);
  }
  if (sequences !== 1) {
    throw new EngineError("TOKENIZER", "the template does not hold its sequence once", {
      where: `${where}.single`,
      got: sequences,
    });
  }
  return { prefixIds, suffixIds };
}

function pairId(value: unknown, where: string): number {
  const id: unknown = Array.isArray(value) ? value[1] : undefined;
  if (isTokenId(id)) return id;
  throw new EngineError("TOKENIZER", "a special token lacks its id", { where });
}
