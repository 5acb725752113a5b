// One inference call of the protocol, answered by the Model API's batch call.
import { AppError, type Client, type ModelState, type modelApi, type Verdict } from "@mlsec/contracts";
import { type Output, outputsOf, type Tensor, textsOf } from "./tensors.ts";

export interface InferRequest {
  readonly id?: string | undefined;
  readonly inputs: readonly Tensor[];
  readonly outputs?: readonly { readonly name: string; readonly parameters?: unknown }[] | undefined;
}
export interface InferCall {
  readonly model: string;
  readonly version?: string | undefined;
  readonly request: InferRequest;
  readonly binary?: Uint8Array | undefined;
  readonly signal: AbortSignal;
}
export interface Inferred {
  readonly model_name: string;
  readonly model_version: string;
  readonly id?: string;
  readonly outputs: Output[];
}
type Models = Client<typeof modelApi>;

/** The loaded model of this name, and of this version when one is named. */
export async function findModel(
  models: Models,
  { model, version, signal }: Pick<InferCall, "model" | "version" | "signal">,
): Promise<ModelState> {
  const state = await models.getModel({ params: { name: model }, signal });
  if (version === undefined || state.version === version) return state;
  return await models.getModel({ params: { name: `${state.name}@${version}` }, signal });
}

export async function infer(models: Models, call: InferCall): Promise<Inferred> {
  const { model, request, binary, signal } = call;
  const texts = textsOf(request.inputs, binary);
  const state = await findModel(models, call);
  const answer = await models.predictBatch({ body: { texts, model_name: state.name }, signal });
  const verdicts = answer.results.map((result, i) => verdictOf(result, i));
  const labels = Object.keys(verdicts[0]?.probabilities ?? {});
  const wanted = (request.outputs ?? []).map(({ name }) => name);
  return {
    model_name: model,
    model_version: verdicts[0]?.model_version ?? state.version ?? "",
    ...(request.id === undefined ? {} : { id: request.id }),
    outputs: outputsOf(verdicts, labels, wanted),
  };
}

/** A tensor has no place for one text's error, so it fails the call. */
function verdictOf(result: Verdict | { error: { code: string; detail: string } }, i: number): Verdict {
  if (!("error" in result)) return result;
  const { code, detail } = result.error;
  const known = {
    TEXT_TOO_LONG: "TEXT_TOO_LONG",
    MODEL_NOT_FOUND: "MODEL_NOT_FOUND",
    MODEL_NOT_LOADED: "MODEL_NOT_LOADED",
  } as const;
  const shown = Object.hasOwn(known, code) ? known[code as keyof typeof known] : "INVALID_INPUT";
  throw new AppError(shown, `text ${i}: ${detail}`);
}
