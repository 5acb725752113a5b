// Every failure becomes a problem document (RFC 9457) here; what it was exactly goes to the log only.
import { AppError, Reply, toProblem } from "@mlsec/contracts";

/** SQLSTATEs of values that fit the schema and no column: a count past 2^31, a date past the calendar's end. */
const unstorable = new Set(["22003", "22007", "22008", "22009", "22021", "22P02", "22P05"]);

/** The error as the caller may see it: unknown errors become INTERNAL and say nothing. */
export function publicError(error: unknown): AppError {
  if (error instanceof AppError) {
    if (error.code !== "INTERNAL") return error;
    return new AppError(
      "INTERNAL",
      "something broke inside; the log has it under this request id",
      {},
      { cause: error },
    );
  }
  const { code, name } = (typeof error === "object" && error !== null ? error : {}) as {
    code?: unknown;
    name?: unknown;
  };
  const options = { cause: error };
  if (code === "ENOSPC" || code === "EDQUOT" || code === "53100")
    return new AppError("STORAGE_FULL", "the disk is full", {}, options);
  if (isDatabaseGone(error)) return new AppError("UNAVAILABLE", "the database does not answer", {}, options);
  if (typeof code === "string" && unstorable.has(code)) {
    return new AppError("INVALID_INPUT", "a value lies outside what can be stored", {}, options);
  }
  if (name === "TimeoutError") return new AppError("TIMEOUT", "it took too long", {}, options);
  if (name === "AbortError") return new AppError("CANCELLED", "the call was cancelled", {}, options);
  return new AppError("INTERNAL", "something broke inside; the log has it under this request id", {}, options);
}

/** Connection exceptions, shutdowns and too many connections, by SQLSTATE; what the socket says; what the pool says. */
function isDatabaseGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code = "", syscall } = error as NodeJS.ErrnoException;
  if (/^(08...|57P0[123]|53300)$/.test(code)) return true;
  if (syscall === "connect") return /^(ECONNREFUSED|ENOENT|ECONNRESET|EAGAIN)$/.test(code);
  return /^(Connection terminated|timeout exceeded when trying to connect)/.test(error.message);
}

/** A problem document before it is written. */
export function problemReply(
  error: AppError,
  requestId: string,
  members: Readonly<Record<string, unknown>> = {},
): Reply<unknown> {
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (typeof error.details["allow"] === "string") headers["allow"] = error.details["allow"];
  if (typeof error.details["retryAfterSeconds"] === "number")
    headers["retry-after"] = String(Math.ceil(error.details["retryAfterSeconds"]));
  return new Reply(error.status, { ...members, ...toProblem(error, requestId) }, headers);
}

export function problemResponse(
  error: AppError,
  requestId: string,
  members: Readonly<Record<string, unknown>> = {},
): Response {
  const { status, body, headers } = problemReply(error, requestId, members);
  return new Response(JSON.stringify(body), { status, headers });
}
