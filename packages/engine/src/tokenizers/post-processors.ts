/** What is put round one sequence: [CLS] … [SEP] and the like. Pairs of sequences are not needed by classifiers.
 * Source: https://github.com/huggingface/tokenizers/tree/main/tokenizers/src/processors */
import { EngineError } from "../error.ts";
import type { Json, PostProcessor } from "./stages.ts";

/**
 * The ids that a `post_processor` entry puts before and after one sequence (none for null).
 * @throws EngineError TOKENIZER for an unknown or damaged entry.
 * @example
 * readPostProcessor({ type: "BertProcessing", cls: ["[CLS]", 2], sep: ["[SEP]", 3] }); // prefixIds [2], suffixIds [3]
 */
export function readPostProcessor(value: unknown): PostProcessor {
  if (value === null || value === undefined) return { prefixIds: [], suffixIds: [] };
  const config = value as Json;
  switch (config["type"]) {
    case "TemplateProcessing":
      return templateProcessing(config);
    case "BertProcessing":
    case "RobertaProcessing":
      return { prefixIds: [pairId(config["cls"])], suffixIds: [pairId(config["sep"])] };
    default:
      throw new EngineError("TOKENIZER", "post-processor is not supported", { got: config["type"] });
  }
}

function templateProcessing(config: Json): PostProcessor {
  const single = config["single"];
  const specials = config["special_tokens"] as Readonly<Record<string, Json>> | undefined;
  if (!Array.isArray(single)) throw new EngineError("TOKENIZER", "the template lacks its single form");
  const prefixIds: number[] = [];
  const suffixIds: number[] = [];
  let target = prefixIds;
  for (const item of single as Json[]) {
    if (item["Sequence"]) {
      target = suffixIds;
      continue;
    }
    const name = (item["SpecialToken"] as Json | undefined)?.["id"];
    const ids = typeof name === "string" ? specials?.[name]?.["ids"] : undefined;
    if (!Array.isArray(ids) || !ids.every((id) => Number.isInteger(id))) {
      throw new EngineError("TOKENIZER", "the template names an unknown special token", { got: name });
    }
    target.push(...(ids as number[]));
  }
  return { prefixIds, suffixIds };
}

function pairId(value: unknown): number {
  const id: unknown = Array.isArray(value) ? value[1] : undefined;
  if (typeof id !== "number" || !Number.isInteger(id)) {
    throw new EngineError("TOKENIZER", "a special token lacks its id", { where: "post_processor" });
  }
  return id;
}
