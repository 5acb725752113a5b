/** Schemas that many routes share: labels, names, paging, time. */
import * as z from "zod";

/** The five labels, in the order every probability vector has. */
export const labels = ["prompt_injection", "jailbreak", "system_extraction", "code_injection", "benign"] as const;
export const Label = z.enum(labels).meta({ id: "Label", description: "What a text is judged to be." });
export type Label = z.infer<typeof Label>;
export const AttackLabel = Label.exclude(["benign"]).meta({ id: "AttackLabel" });
export type AttackLabel = z.infer<typeof AttackLabel>;

/** Model names as callers write them: `distilbert`, `distilbert_trained`, `hf:owner/repo@revision`, `file:folder`. */
export const ModelName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\w:./@-]+$/, "letters, digits and _ : . / @ - only");

/** ISO 8601 in UTC. */
export const Timestamp = z.iso.datetime({ offset: true });
/** A share between 0 and 1. */
export const Rate = z.number().min(0).max(1);
export const Count = z.int().min(0);

/** Paging of every list: `limit` rows from `cursor`. */
export const Page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50).describe("Rows at most."),
  cursor: z.string().max(500).optional().describe("`next_cursor` of the page before."),
});
export const NextCursor = z.string().nullable().describe("Pass as `cursor` for the next page; null on the last.");

/** A share with its 95 % interval. */
export const Interval = z.object({ low: Rate, high: Rate }).meta({ id: "Interval" });

/** Path parameter `{id}`. */
export const IdParams = z.strictObject({ id: z.string().min(1).max(200) });
export const NameParams = z.strictObject({ name: ModelName });
