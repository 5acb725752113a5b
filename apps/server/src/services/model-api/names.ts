// What a model name asks for: the same detector has several spellings, and every answer carries the canonical one.
import { AppError } from "@mlsec/contracts";
import { nearest } from "../../platform/http/validate.ts";

/** The encoders that training knows by name; only the first lies in the repository. */
export const families = ["distilbert", "bert-base", "roberta-base", "deberta-v3-base"] as const;

export interface ModelRef {
  /** Without `security_`, `_trained`, `_pretrained` and the version. */
  readonly name: string;
  /** trained: a detector. pretrained: the bare encoder. file, hub: a foreign model. */
  readonly form: "trained" | "pretrained" | "file" | "hub";
  /** A pinned version, from `name@version`. */
  readonly version?: string;
}

/**
 * Takes a name apart.
 * @example
 * parseName("security_distilbert_trained@2"); // { name: "distilbert", form: "trained", version: "2" }
 */
export function parseName(asked: string): ModelRef {
  if (asked.startsWith("file:")) return { name: asked, form: "file" };
  if (asked.startsWith("hf:")) return { name: asked, form: "hub" };
  const [, spelled = asked, version] = /^(.+?)(?:@([\w.-]+))?$/.exec(asked) ?? [];
  const bare = spelled.replace(/^security_/, "") || spelled;
  if (bare.endsWith("_pretrained")) return { name: bare.slice(0, -"_pretrained".length), form: "pretrained" };
  const name = bare.replace(/_trained$/, "") || bare;
  return { name, form: "trained", ...(version ? { version } : {}) };
}

/** What tells loaded models apart: `distilbert`, `distilbert@2`, `distilbert_pretrained`, `file:…`. */
export function slotOf({ name, form, version }: ModelRef): string {
  if (form === "pretrained") return `${name}_pretrained`;
  return version === undefined ? name : `${name}@${version}`;
}

/** MODEL_NOT_FOUND that names the nearest known name. */
export function unknownModel(asked: string, known: Iterable<string>): AppError {
  const near = nearest(parseName(asked).name, [...known]);
  const hint = near === undefined ? ";" : `; did you mean "${near}"?`;
  return new AppError("MODEL_NOT_FOUND", `no model is called "${asked}"${hint} GET /models lists them`, { asked });
}
