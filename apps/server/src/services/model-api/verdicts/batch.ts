// The three shapes of a batch, and its items: one that cannot be judged is an error in its place.
import { AppError, BatchItem } from "@mlsec/contracts";
import { publicError } from "../../../platform/http/problem.ts";

export interface Item {
  readonly text: string;
  readonly id?: string | undefined;
  readonly model: string;
}
export type ItemError = { readonly error: { readonly code: string; readonly detail: string }; readonly id?: string };
export type Body =
  | readonly unknown[]
  | { readonly texts: readonly unknown[]; readonly model_name?: string | undefined };

/** Items in order, or why one is none. */
export function itemsOf(body: Body, standardModel: string): (Item | ItemError)[] {
  if (!("texts" in body)) return body.map((entry) => itemOf(entry, standardModel));
  return body.texts.map((entry) => itemOf(entry, body.model_name ?? standardModel));
}

export function itemError(error: unknown, id?: string): ItemError {
  const { code, message } = publicError(error);
  return { error: { code, detail: message }, ...(id === undefined ? {} : { id }) };
}

function itemOf(entry: unknown, model: string): Item | ItemError {
  if (typeof entry === "string") return { text: entry, model };
  const parsed = BatchItem.safeParse(entry);
  if (parsed.success) return { text: parsed.data.text, id: parsed.data.id, model: parsed.data.model_name ?? model };
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? `${issue.path.join(".")}: ` : "";
  const isObject = typeof entry === "object" && entry !== null && !Array.isArray(entry);
  const why = isObject ? `${where}${issue?.message ?? "invalid"}` : "expected a text or {text, id?, model_name?}";
  return itemError(new AppError("INVALID_INPUT", why));
}
