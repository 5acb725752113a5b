// What a model name stands for when it is trained: the encoder it starts from, and where that can be had.
import { AppError } from "@mlsec/contracts";
import { MODEL_CONFIGS } from "@mlsec/engine";
import { nearest } from "../../platform/http/validate.ts";
import type { Base } from "./bases.ts";

/** The one encoder that lies in this repository, under its own name. */
const shippedEncoders: Readonly<Record<string, string>> = { distilbert: "minilm-l6" };

/** What a job trains. */
export type Trainable =
  | { readonly name: string; readonly kind: "linear" }
  | { readonly name: string; readonly kind: "transformer"; readonly base: Base };

/**
 * The name without the spellings that mean the same model.
 * @example
 * canonicalName("security_distilbert_trained"); // "distilbert"
 */
export function canonicalName(asked: string): string {
  const bare = asked.replace(/^security_/, "").replace(/_(?:pre)?trained$/, "");
  return bare === "" ? asked : bare;
}
export const registeredName = (name: string): string => `security_${name}`;
export const experimentName = (name: string): string => `security_${name}_experiments`;
export const trainableNames: readonly string[] = [...Object.keys(MODEL_CONFIGS), "linear"];

/**
 * MODEL_NOT_FOUND with the nearest name. A hub repository is trained under a name that a registry takes:
 * `hf:owner/repo@revision` as `owner--repo`, which later stands for the same repository.
 */
export function resolveTrainable(asked: string): Trainable {
  const name = canonicalName(asked);
  if (name === "linear") return { name, kind: "linear" };
  const [, owner, repo, revision = "main"] =
    /^hf:(\w[\w.-]*)\/(\w[\w.-]*)(?:@(\w[\w./-]*))?$/.exec(asked) ?? /^(\w[\w.-]*?)--(\w[\w.-]*)$/.exec(name) ?? [];
  if (owner !== undefined && repo !== undefined) {
    const slug = `${owner}--${repo}`;
    return { name: slug, kind: "transformer", base: { name: slug, repository: `${owner}/${repo}`, revision } };
  }
  const known = Object.hasOwn(MODEL_CONFIGS, name) ? MODEL_CONFIGS[name] : undefined;
  if (!known) throw unknownName(asked);
  const { repository, revision: pinned } = known;
  const base = { name: shippedEncoders[name] ?? name, repository, revision: pinned };
  return { name, kind: "transformer", base };
}

function unknownName(asked: string): AppError {
  const near = nearest(canonicalName(asked), trainableNames);
  const hint = near === undefined ? "" : `; did you mean "${near}"?`;
  return new AppError(
    "MODEL_NOT_FOUND",
    `no model is called "${asked}"${hint} These can be trained: ${trainableNames.join(", ")}`,
    { asked },
  );
}
