// Settings of the Model API.
import * as z from "zod";
import { defineSlice, whole } from "../../platform/config/slice.ts";

export const modelApiSlice = defineSlice({
  MLSEC_INFER_THREADS: whole(1, 256).optional().describe("Threads of the inference worker. Unset: one per core."),
  MLSEC_EXECUTION_PROVIDER: z
    .enum(["cpu", "cuda"])
    .default("cpu")
    .describe(
      "What computes the verdicts of transformers. cuda needs an NVIDIA GPU and ONNX Runtime's CUDA library; models fail to load where it cannot be had.",
    ),
  MLSEC_MAX_WAITING: whole(1, 10_000_000)
    .default(4096)
    .describe("Texts that may wait for a verdict, a long one counting once more per 1,000 characters; then 429."),
  MLSEC_VERDICT_CACHE_MB: whole(0, 65_536).default(32).describe("Memory for cached verdicts in MiB; 0 keeps none."),
  MLSEC_CASCADE: z
    .enum(["on", "off"])
    .default("on")
    .describe("Whether a model with a cascade.json lets its student answer what that is sure of."),
  MLSEC_MODEL_MEMORY_MB: whole(1, 10_000_000)
    .optional()
    .describe(
      "Memory for loaded models' weights in MiB: loading beyond it unloads the least recently used ones but the default. Unset: no limit.",
    ),
  MLSEC_SHIPPED_MODELS: z.string().optional().describe("Folder of the detectors that come with the system."),
});
