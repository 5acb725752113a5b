// Structured logs on standard error; standard output belongs to the start table and to data.
import { AppError } from "@mlsec/contracts";
import { pino } from "pino";

export type Logger = pino.Logger;
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

const secret = ["password", "authorization", "cookie", "secretKey", "accessKey", "token", "key"];
// Raw text is never logged, however it arrives: these fields are cut wherever a log line holds them.
const raw = ["text", "texts", "prompt", "messages", "body"];

export function createLogger(options: {
  level: LogLevel;
  service?: string;
  version?: string;
  destination?: pino.DestinationStream;
}): Logger {
  const names = [...secret, ...raw];
  return pino(
    {
      level: options.level,
      base: { service: options.service ?? "mlsec", ...(options.version ? { version: options.version } : {}) },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...names, ...names.map((name) => `*.${name}`)], censor: "[redacted]" },
      serializers: { error: asLogged, err: asLogged },
    },
    options.destination ?? pino.destination({ dest: 2, sync: false, minLength: 0 }),
  );
}

/** The level an error is logged at: what the caller did wrong is `info`, what we did wrong `error`. */
export function levelOf(error: unknown): "info" | "warn" | "error" {
  if (!(error instanceof AppError)) return "error";
  if (error.status >= 500) return error.code === "INTERNAL" ? "error" : "warn";
  return "info";
}

/** An error as a log line holds it: AppErrors without `errors` (they may quote what was sent), causes down to three. */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === "string" ? { code } : {}),
    ...(error instanceof AppError && error.code !== "INTERNAL" ? {} : { stack: error.stack }),
    ...(error.cause !== undefined && depth < 3 ? { cause: describeError(error.cause, depth + 1) } : {}),
  };
}

const asLogged = (error: unknown): unknown => (error instanceof Error ? describeError(error) : error);
