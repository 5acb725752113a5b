// Settings of Training.
import path from "node:path";
import * as z from "zod";
import type { Config } from "../../platform/config/config.ts";
import { defineSlice, whole } from "../../platform/config/slice.ts";

const repository = path.resolve(import.meta.dirname, "../../../../..");

export const trainingSlice = defineSlice({
  MLSEC_TRAIN_THREADS: whole(1, 256).optional().describe("Threads of a training job. Unset: one per core."),
  MLSEC_SUITE_DIR: z
    .string()
    .default(path.join(repository, "data/suite"))
    .describe("Folder of the frozen suite that every version is measured on."),
  MLSEC_FIRST_DATA: z
    .string()
    .default(path.join(repository, "data/training/security_data.jsonl"))
    .describe("Rows that the store holds as training_data/security_data.jsonl from the first start on."),
  MLSEC_SHIPPED_MODELS: z
    .string()
    .default(path.join(repository, "models"))
    .describe("Folder of the detectors and encoders that come with the system."),
});

export interface TrainingConfig {
  readonly threads: number | undefined;
  readonly suiteDir: string;
  readonly firstData: string;
  readonly shippedDir: string;
  /** Where encoders are looked for, in this order. */
  readonly baseDirs: readonly string[];
  /** One folder per running job. */
  readonly jobsDir: string;
  readonly bucket: string;
}

export function trainingConfig(config: Config): TrainingConfig {
  const values = config.read(trainingSlice);
  const shippedDir = path.resolve(values.MLSEC_SHIPPED_MODELS);
  return {
    threads: values.MLSEC_TRAIN_THREADS,
    suiteDir: path.resolve(values.MLSEC_SUITE_DIR),
    firstData: path.resolve(values.MLSEC_FIRST_DATA),
    shippedDir,
    baseDirs: [shippedDir, ...config.modelDirs, path.join(config.dataDir, "models")],
    jobsDir: path.join(config.dataDir, "training", "jobs"),
    bucket: config.storage.bucket,
  };
}
