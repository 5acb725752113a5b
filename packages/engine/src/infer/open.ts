/** The one place where Node makes inference sessions. */
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as ort from "onnxruntime-node";
import { EngineError } from "../error.ts";
import { encodeModel } from "../onnx/model.ts";
import { onlyFolded, type Runtime } from "./runtime.ts";

/** What computes: the processor, or an NVIDIA GPU where this build of ONNX Runtime has CUDA. */
export type ExecutionProvider = "cpu" | "cuda";

/** Options of `openModel`. */
export interface OpenOptions {
  /** 0 or absent lets ONNX Runtime choose. */
  readonly threads?: number | undefined;
  /** Where the files lie that the model names its weights in. */
  readonly folder?: string;
  /** Default cpu. */
  readonly provider?: ExecutionProvider | undefined;
}

/**
 * Opens a model for inference. Threads spin while they wait for each other inside a run, which takes a third off a
 * single text, and stop when it ends: beside a database, a server and a training run on the same cores, threads that
 * spin between runs halve the speed.
 * @throws EngineError CONFIG when the provider cannot be had here; another one is never taken instead.
 * @example
 * const session = await openModel(encodeModel(graph), { threads: 2, folder: "models/distilbert" });
 */
export async function openModel(model: Uint8Array, options: OpenOptions = {}): Promise<ort.InferenceSession> {
  const { threads, folder, provider = "cpu" } = options;
  const weights = folder === undefined ? {} : { model_external_initializers_file_folder_path: folder };
  if (provider !== "cpu") requireProvider(provider);
  try {
    return await ort.InferenceSession.create(model, {
      ...onlyFolded,
      executionProviders: [provider],
      ...(threads ? { intraOpNumThreads: threads } : {}),
      extra: { session: { intra_op: { allow_spinning: "1" }, force_spinning_stop: "1", ...weights } },
    });
  } catch (cause) {
    if (provider === "cpu") throw cause;
    const [reason = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw unavailable(provider, reason, cause);
  }
}

/**
 * ONNX Runtime as Node has it.
 * @example
 * const form = await probeIntegerForm(nodeRuntime({ provider: "cpu" }));
 */
export function nodeRuntime(options: OpenOptions = {}): Runtime {
  return { open: (model) => openModel(model, options), Tensor: ort.Tensor };
}

/**
 * Opens and runs a model of one node, so that a provider that cannot be had is known before anything is loaded.
 * @throws EngineError CONFIG naming what is missing.
 * @example
 * await checkProvider("cuda");
 */
export async function checkProvider(provider: ExecutionProvider): Promise<void> {
  const value = { type: "float32", dims: [1] } as const;
  const session = await openModel(
    encodeModel({
      name: "check",
      inputs: [{ name: "x", ...value }],
      outputs: [{ name: "y", ...value }],
      initializers: [],
      nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }],
    }),
    { threads: 1, provider },
  );
  try {
    await session.run({ x: new ort.Tensor("float32", Float32Array.of(1), [1]) });
  } finally {
    await session.release();
  }
}

/** ONNX Runtime would say only that a library could not be loaded, and print more than that by itself. */
function requireProvider(provider: Exclude<ExecutionProvider, "cpu">): void {
  const built = ort.listSupportedBackends().map(({ name }) => name);
  if (!built.includes(provider)) throw unavailable(provider, `this build of ONNX Runtime has only ${built.join(", ")}`);
  const library =
    process.platform === "win32" ? `onnxruntime_providers_${provider}.dll` : `libonnxruntime_providers_${provider}.so`;
  const bin = join(dirname(createRequire(import.meta.url).resolve("onnxruntime-node")), "../bin");
  const folders = readdirSync(bin).map((napi) => join(bin, napi, process.platform, process.arch));
  if (folders.some((folder) => existsSync(join(folder, library)))) return;
  throw unavailable(provider, `onnxruntime-node was installed without ${library}, which its install script fetches`);
}

function unavailable(provider: ExecutionProvider, reason: string, cause?: unknown): EngineError {
  const details = { where: "execution provider", got: provider };
  return new EngineError("CONFIG", `the execution provider ${provider} is not available: ${reason}`, details, {
    cause,
  });
}
