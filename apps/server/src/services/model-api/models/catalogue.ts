// Which models there are and where their files lie: the registry's champions, the shipped folders, foreign folders.
import fs from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import type { Logger } from "../../../platform/telemetry/log.ts";
import { families, type ModelRef, unknownModel } from "../names.ts";
import type { Artefacts } from "./artefacts.ts";
import { type Downloads, hubSource, unreachable } from "./downloads.ts";
import type { Registered, Registry } from "./registry.ts";
import { isDetector, isHuggingFace, shippedNames } from "./shipped.ts";

/** A version's files on this machine. */
export interface Located {
  readonly folder: string;
  readonly version: string;
  readonly source: string;
  readonly alias: string | null;
  /** Set while it stands in for what the registry could not say. */
  readonly provisional?: string;
}
export interface Catalogue {
  /** Trained models by canonical name, families without a version included. */
  names(): Promise<string[]>;
  /** Names that can be loaded now: shipped, or with a champion. */
  loadable(): Promise<string[]>;
  locate(ref: ModelRef): Promise<Located>;
}

interface Options {
  readonly root: string;
  readonly modelDirs: readonly string[];
  readonly registry: Registry;
  readonly artefacts: Artefacts;
  readonly downloads: Downloads;
  /** Where MLflow keeps artefacts. */
  readonly bucket: string;
  readonly log: Logger;
}

export function createCatalogue(options: Options): Catalogue {
  const { root, modelDirs, registry, artefacts, downloads, bucket, log } = options;
  /** Undefined when the registry does not answer. */
  const registered = async (): Promise<Registered[] | undefined> => {
    try {
      return await registry.models();
    } catch (error) {
      log.warn({ error }, "the model registry does not answer");
      return undefined;
    }
  };

  const sourceFolder = async (source: string): Promise<string> => {
    if (source.startsWith("s3://")) return await artefacts.fetch(source);
    // MLflow's own name for what lies in our bucket.
    const proxied = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.+)$/.exec(source)?.[1];
    if (proxied !== undefined) return await artefacts.fetch(`s3://${bucket}/mlflow/${proxied}`);
    const shipped = /^file:models\/([\w.-]+)\/?$/.exec(source)?.[1];
    if (shipped !== undefined && !shipped.startsWith(".")) return path.join(root, shipped);
    if (source.startsWith("file:")) return await foreignFolder(source.slice("file:".length), modelDirs);
    throw new AppError("CONFLICT", "the version's files lie where this service cannot read", { source });
  };

  const registeredVersion = async (name: string, version: string): Promise<Located> => {
    const found = await registry.version(name, version);
    const folder = await sourceFolder(found.source);
    const alias = found.aliases.includes("champion") ? "champion" : (found.aliases[0] ?? null);
    return { folder, version: found.version, source: found.source, alias };
  };

  const shippedVersion = async (
    name: string,
    known: readonly Registered[] | undefined,
  ): Promise<Located | undefined> => {
    if (!(await shippedNames(root)).includes(name)) return undefined;
    // Training registers a shipped detector as version 1 when there is none.
    const isNew = known !== undefined && !known.some((model) => model.name === name);
    const why = known === undefined ? "the model registry does not answer" : "no version is champion";
    const provisional = isNew ? "not registered yet" : `${why}; this is the shipped detector`;
    return {
      folder: path.join(root, name),
      version: isNew ? "1" : "shipped",
      source: `file:models/${name}`,
      alias: null,
      provisional,
    };
  };

  /** The folder of a model that was fetched from the hub. */
  const fetchedVersion = async (name: string): Promise<Located> => {
    const source = hubSource(name);
    const found = source && (await downloads.find(source));
    if (!found) throw unreachable(name, modelDirs);
    const { folder, repository, commit } = found;
    return { folder, version: commit.slice(0, 12), source: `hf:${repository}@${commit}`, alias: null };
  };

  return {
    async names() {
      const known = (await registered()) ?? [];
      return [...new Set([...(await shippedNames(root)), ...known.map(({ name }) => name), ...families])].sort();
    },
    async loadable() {
      const known = (await registered()) ?? [];
      const champions = known.filter(({ champion }) => champion !== undefined).map(({ name }) => name);
      return [...new Set([...(await shippedNames(root)), ...champions])].sort();
    },
    async locate(ref) {
      if (ref.form === "pretrained") throw untrained(ref.name);
      if (ref.form === "hub") return await fetchedVersion(ref.name);
      if (ref.form === "file") {
        const folder = await foreignFolder(ref.name.slice("file:".length), modelDirs);
        return { folder, version: "local", source: ref.name, alias: null };
      }
      const known = await registered();
      const model = known?.find(({ name }) => name === ref.name);
      const version = ref.version ?? model?.champion;
      if (known && version !== undefined) return await registeredVersion(ref.name, version);
      const shipped = ref.version === undefined ? await shippedVersion(ref.name, known) : undefined;
      if (shipped) return shipped;
      if (known === undefined) throw new AppError("UNAVAILABLE", "the model registry does not answer");
      if (model)
        throw new AppError(
          "CONFLICT",
          `no version of "${ref.name}" is champion; POST /models/${ref.name}/promote (8002) makes one`,
        );
      // A checkpoint of the list is a bare encoder, here or not.
      if (hubSource(ref.name) && (await fetchedVersion(ref.name))) throw untrained(ref.name);
      throw unknownModel(ref.name, [...families, ...(await shippedNames(root)), ...known.map(({ name }) => name)]);
    },
  };
}

export const untrained = (name: string): AppError =>
  new AppError(
    "MODEL_UNTRAINED",
    `"${name}_pretrained" is an encoder without a trained head; POST /train (8002) trains one`,
  );

/** The real folder, links followed; FORBIDDEN outside MLSEC_MODEL_DIRS whether or not it exists. */
async function foreignFolder(asked: string, modelDirs: readonly string[]): Promise<string> {
  const resolved = await fs.realpath(path.resolve(modelDirs[0] ?? ".", asked)).catch(() => undefined);
  const roots = await Promise.all(modelDirs.map((dir) => fs.realpath(dir).catch(() => undefined)));
  const allowed = resolved !== undefined && roots.some((dir) => dir !== undefined && isInside(resolved, dir));
  if (!allowed) throw new AppError("FORBIDDEN", "file: models are read only from folders under MLSEC_MODEL_DIRS");
  if (!(await isDetector(resolved)) && !(await isHuggingFace(resolved)))
    throw new AppError("MODEL_NOT_FOUND", "that folder holds no classifier (detector.json or config.json)");
  return resolved;
}

function isInside(folder: string, root: string): boolean {
  const relative = path.relative(root, folder);
  return !relative.startsWith("..") && !path.isAbsolute(relative);
}
