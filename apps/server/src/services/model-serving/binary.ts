// The binary tensor extension: a JSON header, then raw tensor bytes; what tritonclient.http sends unless told otherwise.
// Its JSON calls come without a content type, which the contract's own route would refuse, so they are answered here too.
import { AppError, type Client, type modelApi, modelServing, type RequestContext } from "@mlsec/contracts";
import { infer, type Inferred, type InferRequest } from "./infer.ts";
import { binaryOf, invalid, type Output, utf8 } from "./tensors.ts";

const headerName = "inference-header-content-length";
const path = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?\/infer$/;

/** The answer to a call with a JSON header and to one that names no content type; undefined for every other request. */
export async function answerBinary(
  request: Request,
  context: RequestContext,
  { models, maxBytes }: { models: Client<typeof modelApi>; maxBytes: number },
): Promise<Response | undefined> {
  const headerLength = request.headers.get(headerName);
  const [, model, version] = path.exec(new URL(request.url).pathname) ?? [];
  const isOurs = headerLength !== null || request.headers.get("content-type") === null;
  if (!isOurs || model === undefined || request.method !== "POST") return undefined;
  if (!context.principal.scopes.includes("predict")) throw new AppError("FORBIDDEN", "needs the scope predict");
  const bytes = await readBody(request, maxBytes);
  const split = headerLength === null ? bytes.byteLength : Number(headerLength);
  if (!Number.isSafeInteger(split) || split < 2 || split > bytes.byteLength)
    throw invalid(headerName, `expected 2 to ${bytes.byteLength}, got ${String(headerLength).slice(0, 20)}`);
  const header = parseHeader(bytes.subarray(0, split));
  const inferred = await infer(models, {
    model: decoded(model),
    version: version === undefined ? undefined : decoded(version),
    request: header,
    binary: split === bytes.byteLength ? undefined : bytes.subarray(split),
    signal: context.signal,
  });
  const isBinary = wantsBinary(header);
  return binaryResponse(inferred, (output) => isBinary(output.name));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new AppError("INVALID_ENCODING", "the path holds percent escapes that are not UTF-8", {}, { cause });
  }
}

function parseHeader(bytes: Uint8Array): InferRequest {
  let value: unknown;
  try {
    value = JSON.parse(utf8(bytes));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("INVALID_JSON", "the inference header is not JSON", {}, { cause });
  }
  const parsed = modelServing.infer.body.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(issue?.path.join(".") || "the header", issue?.message ?? "invalid");
}

/** Per output `binary_data`, else the request's `binary_data_output`. */
function wantsBinary(request: InferRequest & { parameters?: unknown }): (name: string) => boolean {
  const standard = (request.parameters as Record<string, unknown> | undefined)?.["binary_data_output"] === true;
  const own = new Map(
    (request.outputs ?? []).map(({ name, parameters }) => [
      name,
      (parameters as Record<string, unknown> | undefined)?.["binary_data"],
    ]),
  );
  return (name) => {
    const asked = own.get(name);
    return typeof asked === "boolean" ? asked : standard;
  };
}

function binaryResponse({ outputs, ...rest }: Inferred, isBinary: (output: Output) => boolean): Response {
  const blocks: Buffer[] = [];
  const described = outputs.map((output) => {
    if (!isBinary(output)) return output;
    const block = binaryOf(output);
    blocks.push(block);
    const { name, shape, datatype } = output;
    return { name, shape, datatype, parameters: { binary_data_size: block.byteLength } };
  });
  const header = Buffer.from(JSON.stringify({ ...rest, outputs: described }));
  if (blocks.length === 0) return new Response(header, { headers: { "content-type": "application/json" } });
  return new Response(Buffer.concat([header, ...blocks]), {
    headers: { "content-type": "application/octet-stream", [headerName]: String(header.byteLength) },
  });
}

async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes)
      throw new AppError("BODY_TOO_LARGE", `the body is larger than ${maxBytes} bytes`, { maxBytes });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
