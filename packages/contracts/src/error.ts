/** Every failure a caller can act on has a code here; the HTTP status follows from the code. */
import * as z from "zod";

/** Error catalogue: code → HTTP status and a title that never changes. */
export const codes = {
  INVALID_INPUT: { status: 400, title: "The request does not fit the schema" },
  INVALID_JSON: { status: 400, title: "The body is not JSON" },
  INVALID_ENCODING: { status: 400, title: "The body is not UTF-8" },
  INVALID_CONFIG: { status: 400, title: "A setting has no such value" },
  DATA_INVALID: { status: 422, title: "The data set cannot be trained on" },
  UNAUTHORIZED: { status: 401, title: "A key is needed" },
  FORBIDDEN: { status: 403, title: "Not allowed from here" },
  NOT_FOUND: { status: 404, title: "No such thing" },
  ROUTE_NOT_FOUND: { status: 404, title: "No such path" },
  MODEL_NOT_FOUND: { status: 404, title: "No such model" },
  OBJECT_NOT_FOUND: { status: 404, title: "No such object" },
  METHOD_NOT_ALLOWED: { status: 405, title: "The path has no such method" },
  CONFLICT: { status: 409, title: "The state does not allow this" },
  MODEL_UNTRAINED: { status: 409, title: "The model has no trained head" },
  MODEL_NOT_LOADED: { status: 409, title: "The model is not loaded" },
  LABELS_UNMAPPED: { status: 409, title: "The model's labels are not mapped" },
  TEXT_TOO_LONG: { status: 413, title: "The text is too long" },
  BODY_TOO_LARGE: { status: 413, title: "The body is too large" },
  MEDIA_TYPE: { status: 415, title: "Unsupported content type" },
  RANGE: { status: 416, title: "The range cannot be served" },
  DIGEST_MISMATCH: { status: 422, title: "The content does not match its digest" },
  OVERLOADED: { status: 429, title: "Too many requests wait already" },
  CANCELLED: { status: 499, title: "The caller went away" },
  INTERNAL: { status: 500, title: "Something broke inside" },
  UPSTREAM: { status: 502, title: "A service behind this one failed" },
  UNAVAILABLE: { status: 503, title: "Not ready" },
  WEIGHTS_UNREACHABLE: { status: 503, title: "The weights cannot be fetched" },
  TIMEOUT: { status: 504, title: "It took too long" },
  MODEL_MEMORY: { status: 507, title: "The models do not fit into their memory budget" },
  STORAGE_FULL: { status: 507, title: "The disk is full" },
} as const satisfies Record<string, { status: number; title: string }>;

/** A code of the catalogue. */
export type Code = keyof typeof codes;

/** One wrong field of a request: where it is and what was expected there. */
export const FieldError = z.object({ field: z.string(), message: z.string() }).meta({ id: "FieldError" });
export type FieldError = z.infer<typeof FieldError>;

/** RFC 9457 problem document, the body of every answer that is not a success. */
export const Problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    requestId: z.string(),
    errors: z.array(FieldError).optional(),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof Problem>;

/**
 * The one error type outside the engine. `details.errors` (wrong fields) reaches the caller, the rest only the log.
 * @example
 * throw new AppError("MODEL_NOT_FOUND", `no model is called "${name}"; GET /models lists them`, { name });
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: Code;
  readonly details: Readonly<Record<string, unknown>>;
  constructor(code: Code, message: string, details: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
  /** HTTP status of this error's code. */
  get status(): number {
    return codes[this.code].status;
  }
}

/**
 * The problem document of an error.
 * @param error the error to show; its `details.errors` are shown, no other detail is
 * @param requestId the id the caller can quote
 * @returns a body for `application/problem+json`
 */
export function toProblem(error: AppError, requestId: string): Problem {
  const { status, title } = codes[error.code];
  const fields = z.array(FieldError).safeParse(error.details["errors"]);
  return {
    type: `urn:mlsec:error:${error.code.toLowerCase().replaceAll("_", "-")}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    requestId,
    ...(fields.success ? { errors: fields.data } : {}),
  };
}

/**
 * The error a problem document stands for, as a client sees it.
 * @param problem the parsed body
 * @returns an AppError; an unknown code becomes UPSTREAM
 */
export function fromProblem(problem: Problem): AppError {
  const code = Object.hasOwn(codes, problem.code) ? (problem.code as Code) : "UPSTREAM";
  return new AppError(code, problem.detail, {
    requestId: problem.requestId,
    ...(problem.errors ? { errors: problem.errors } : {}),
  });
}
