// What a model name stands for when it is trained: a family, the encoder it starts from, and where that encoder lies.
import fs from "node:fs";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import { nearest } from "../../platform/http/validate.ts";

interface Family {
  /** Folder name of the encoder. */
  readonly base: string;
  /** Where its files can be had. */
  readonly hub: string;
}
// What a checkpoint of each family is called on the hub; only the first one's encoder lies in this repository.
const families: Readonly<Record<string, Family>> = {
  distilbert: { base: "minilm-l6", hub: "sentence-transformers/all-MiniLM-L6-v2" },
  "bert-base": { base: "bert-base", hub: "google-bert/bert-base-uncased" },
  "roberta-base": { base: "roberta-base", hub: "FacebookAI/roberta-base" },
  "deberta-v3-base": { base: "deberta-v3-base", hub: "microsoft/deberta-v3-base" },
};
const needed = ["config.json", "tokenizer.json", "model.safetensors"];

/** What a job trains. */
export type Trainable =
  | { readonly name: string; readonly kind: "linear" }
  | { readonly name: string; readonly kind: "transformer"; readonly baseFolder: string; readonly base: string };

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
export const trainableNames: readonly string[] = [...Object.keys(families), "linear"];

/** MODEL_NOT_FOUND with the nearest name, or WEIGHTS_UNREACHABLE that says which files to place where. */
export function resolveTrainable(asked: string, baseDirs: readonly string[]): Trainable {
  const name = canonicalName(asked);
  if (name === "linear") return { name, kind: "linear" };
  const hub = /^hf:([\w.-]+\/[\w.-]+)(?:@[\w.-]+)?$/.exec(name)?.[1];
  if (hub !== undefined) throw unreachable(asked, hub.replace("/", "--"), hub, baseDirs);
  const family = Object.hasOwn(families, name) ? families[name] : undefined;
  if (!family) throw unknownName(asked);
  const baseFolder = baseDirs.map((dir) => path.join(dir, family.base)).find(hasWeights);
  if (baseFolder === undefined) throw unreachable(asked, family.base, family.hub, baseDirs);
  return { name, kind: "transformer", baseFolder, base: family.base };
}

const hasWeights = (folder: string): boolean => needed.every((file) => fs.existsSync(path.join(folder, file)));

function unreachable(asked: string, base: string, hub: string, baseDirs: readonly string[]): AppError {
  // The folders themselves stay out of the answer: they may lie anywhere on the server.
  const where =
    baseDirs.length > 2 ? "a folder of MLSEC_MODEL_DIRS" : "MLSEC_DATA_DIR/models (or a folder of MLSEC_MODEL_DIRS)";
  return new AppError(
    "WEIGHTS_UNREACHABLE",
    `the weights of "${asked}" are not on this machine: put ${needed.join(", ")} of ${hub} into ${where} as "${base}/" and send this again`,
    { asked, base },
  );
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
