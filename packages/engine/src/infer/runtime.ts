/** What inference needs of ONNX Runtime: onnxruntime-node and onnxruntime-web both have it. */
import type { InferenceSession, TensorConstructor } from "onnxruntime-node";

/** An ONNX Runtime with its settings made. */
export interface Runtime {
  /** Opens the bytes of a model. */
  open(model: Uint8Array): Promise<InferenceSession>;
  readonly Tensor: TensorConstructor;
}

/** Graphs are fused by hand: "basic" only folds constants (higher levels fuse layer norms into a slower operator). */
export const onlyFolded = {
  graphOptimizationLevel: "basic",
  executionMode: "sequential",
  interOpNumThreads: 1,
  logSeverityLevel: 3,
} as const satisfies InferenceSession.SessionOptions;
