/** The one place where inference sessions are made. */
import { InferenceSession } from "onnxruntime-node";

/**
 * Opens a model for inference. The graph is fused by hand; "basic" only folds constants (higher levels fuse layer norms into a slower operator).
 * Threads do not spin: beside a database, a server and a training run on the same cores, spinning halves the speed.
 * @param folder where the file lies that the model names its weights in
 * @example
 * const session = await openModel(encodeModel(graph), 2, "models/distilbert");
 */
export function openModel(model: Uint8Array, threads: number | undefined, folder?: string): Promise<InferenceSession> {
  const weights = folder === undefined ? {} : { model_external_initializers_file_folder_path: folder };
  return InferenceSession.create(model, {
    graphOptimizationLevel: "basic",
    executionMode: "sequential",
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    ...(threads ? { intraOpNumThreads: threads } : {}),
    extra: { session: { intra_op: { allow_spinning: "0" }, ...weights } },
  });
}
