// Model Serving: the Open Inference Protocol v2 in front of the Model API, so that existing clients and KServe work.
import { AppError, type Handlers, modelServing, type ModelState } from "@mlsec/contracts";
import { defineService, type ServiceContext } from "../../platform/service.ts";
import { answerBinary } from "./binary.ts";
import { findModel, infer } from "./infer.ts";
import { inputMeta, outputMeta } from "./tensors.ts";

export const service = defineService({
  name: "model-serving",
  contract: modelServing,
  // The protocol's own error form, which its clients read.
  problem: ({ message }) => ({ error: message }),
  create: async (context) => {
    const models = context.clients["model-api"];
    const maxBytes = context.config.maxBodyBytes;
    return {
      handlers: { ...metadata(context), ...inference(context) },
      raw: (request, requestContext) => answerBinary(request, requestContext, { models, maxBytes }),
      ready: async () => {
        const isReady = await modelApiReady(context);
        const check = isReady ? { status: "ok" as const } : { status: "down" as const, detail: "it is not ready" };
        return { ready: isReady, checks: { "model-api": check } };
      },
    };
  },
});

const modelApiReady = ({ clients }: ServiceContext): Promise<boolean> =>
  clients.fetch("model-api", "/ready").then(
    (answer) => answer.ok,
    () => false,
  );

type Routes = Handlers<typeof modelServing>;

function metadata(context: ServiceContext): Omit<Routes, "infer" | "inferVersion"> {
  const models = context.clients["model-api"];
  const describe = async (call: { model: string; version?: string; signal: AbortSignal }) => {
    const state = await findModel(models, call);
    return {
      name: call.model,
      versions: state.version === null ? [] : [state.version],
      platform: platformOf(state),
      inputs: inputMeta,
      outputs: outputMeta(state.labels.length),
    };
  };
  return {
    server: async () => ({
      name: "mlsec",
      version: context.config.version,
      extensions: ["binary_tensor_data"],
    }),
    live: async () => ({ live: true }),
    v2Ready: async () => {
      if (await modelApiReady(context)) return { ready: true };
      throw new AppError("UNAVAILABLE", "the Model API is not ready");
    },
    model: ({ params, context: { signal } }) => describe({ ...params, signal }),
    modelVersion: ({ params, context: { signal } }) => describe({ ...params, signal }),
    modelReady: async ({ params, context: { signal } }) => {
      const { state } = await findModel(models, { ...params, signal });
      if (state === "loaded") return { name: params.model, ready: true };
      throw new AppError("UNAVAILABLE", `"${params.model}" is ${state}`);
    },
  };
}

function inference({ clients }: ServiceContext): Pick<Routes, "infer" | "inferVersion"> {
  const models = clients["model-api"];
  return {
    infer: ({ params, body, context: { signal } }) => infer(models, { ...params, request: body, signal }),
    inferVersion: ({ params, body, context: { signal } }) => infer(models, { ...params, request: body, signal }),
  };
}

const platformOf = ({ kind }: ModelState): string => (kind === "transformer" ? "onnxruntime_onnx" : "mlsec_linear");
