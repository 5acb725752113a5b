// S3's error codes with their HTTP statuses, carried inside an AppError and written as XML.
import { AppError, type Code } from "@mlsec/contracts";
import { element, xmlDocument } from "./xml.ts";

export const s3Errors = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  BadDigest: 400,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  EntityTooSmall: 400,
  ExpiredToken: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedXML: 400,
  MethodNotAllowed: 405,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  StorageFull: 507,
  XAmzContentSHA256Mismatch: 400,
} as const satisfies Record<string, number>;
export type S3Code = keyof typeof s3Errors;

const byStatus: Readonly<Record<number, Code>> = {
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  405: "METHOD_NOT_ALLOWED",
  409: "CONFLICT",
  416: "RANGE",
  500: "INTERNAL",
  503: "OVERLOADED",
  507: "STORAGE_FULL",
};

/** An error that S3 clients know by `code`. */
export const s3Error = (code: S3Code, message: string): AppError =>
  new AppError(byStatus[s3Errors[code]] ?? "INVALID_INPUT", message, { s3: code });

// What the store throws, as S3 calls it.
const fromStore: Readonly<Partial<Record<Code, S3Code>>> = {
  OBJECT_NOT_FOUND: "NoSuchKey",
  NOT_FOUND: "NoSuchBucket",
  CONFLICT: "BucketNotEmpty",
  DIGEST_MISMATCH: "XAmzContentSHA256Mismatch",
  INVALID_INPUT: "InvalidArgument",
  RANGE: "InvalidRange",
  STORAGE_FULL: "StorageFull",
  OVERLOADED: "SlowDown",
};

/** The S3 code of any error. */
export function s3CodeOf(error: unknown): S3Code {
  if (!(error instanceof AppError)) return "InternalError";
  const own = error.details["s3"];
  if (typeof own === "string" && Object.hasOwn(s3Errors, own)) return own as S3Code;
  return fromStore[error.code] ?? "InternalError";
}

/** The XML answer of an error; what broke inside stays inside. */
export function errorResponse(error: unknown, resource: string, requestId: string): Response {
  const code = s3CodeOf(error);
  const message = code === "InternalError" ? "something broke inside" : (error as AppError).message;
  const body = xmlDocument(
    "Error",
    element("Code", code) +
      element("Message", message) +
      element("Resource", resource) +
      element("RequestId", requestId),
    { namespace: false },
  );
  return new Response(body, { status: s3Errors[code], headers: { "content-type": "application/xml" } });
}
