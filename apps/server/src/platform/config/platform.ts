// The settings that are nobody's in particular. Names known from elsewhere keep their usual meaning.
import * as z from "zod";
import { address, defineSlice, flag, port, whole } from "./slice.ts";

const secret = (description: string) => z.string().optional().describe(description).meta({ secret: true });
const text = (description: string) => z.string().optional().describe(description);
const levels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
// Python's names are what many deployments already set.
const level = z.string().transform((name, context) => {
  const wanted = name
    .toLowerCase()
    .replace(/^warning$/, "warn")
    .replace(/^critical$/, "fatal")
    .replace(/^notset$/, "trace");
  const found = levels.find((l) => l === wanted);
  if (found) return found;
  context.addIssue({ code: "custom", message: `one of ${levels.join(", ")}` });
  return z.NEVER;
});
const http = ["http", "https"];
const storeText = z.enum(["none", "flagged", "all"], "none, flagged or all");

export const platformSlice = defineSlice({
  SERVICE_NAME: text("Name of this process in logs; `mlsec` when unset."),
  SERVICE_VERSION: text("Version shown by /health and in logs; the package's own when unset."),
  LOG_LEVEL: level.default("warn").describe("trace, debug, info, warn, error, fatal or silent, in any case."),
  POSTGRES_HOST: text("Host of a PostgreSQL server, or the folder of its unix socket. Unset: the embedded server."),
  POSTGRES_PORT: port(5432).describe("Port of that server."),
  POSTGRES_DB: z.string().default("mlsec").describe("Database on that server."),
  POSTGRES_USER: z.string().default("mlsec").describe("User on that server."),
  POSTGRES_PASSWORD: secret("Password of that user. No default."),
  REDIS_URL: address(["redis", "rediss"])
    .optional()
    .describe("Read, but not used in this version: verdicts are cached in process.")
    .meta({ secret: true }),
  MINIO_ENDPOINT: address(http, "http")
    .optional()
    .describe(
      "An S3 server, with or without scheme. Unset or our own: the embedded store. Another one needs both keys, and object storage is then not opened here.",
    ),
  MINIO_ACCESS_KEY: secret("Access key of the S3 server, or the one the embedded store then asks for."),
  MINIO_SECRET_KEY: secret("Secret key that goes with it."),
  MINIO_BUCKET: z
    .string()
    .regex(/^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/, "a bucket name")
    .default("ml-security")
    .describe("Bucket for data sets and artefacts. Made at the start when it is missing."),
  MLFLOW_TRACKING_URI: address(http, "http")
    .optional()
    .describe("An MLflow server. Unset or our own: the embedded one."),
  MLFLOW_S3_ENDPOINT_URL: address(http, "http").optional().describe("The S3 server that MLflow's artefacts lie on."),
  MLFLOW_S3_IGNORE_TLS: flag().describe("1: do not verify that server's certificate."),
  OTEL_EXPORTER_OTLP_ENDPOINT: address(http, "http").optional().describe("Where traces go. Not used yet."),
  HF_ENDPOINT: address(http).default("https://huggingface.co").describe("Where hub models come from."),
  HF_TOKEN: secret("Token for hub models that need one. Sent to HF_ENDPOINT only."),
  HF_HUB_OFFLINE: flag().describe("1: hub models only from what MLSEC_DATA_DIR/hub holds already."),
  MLSEC_HOST: z.string().default("localhost").describe("Address to listen on; `localhost` is 127.0.0.1 and ::1."),
  MLSEC_KEYLESS: flag().describe(
    "1: answer without a key wherever a request comes from. For containers whose ports are published on loopback only.",
  ),
  MLSEC_DATA_DIR: z.string().default(".mlsec").describe("Folder of everything this system keeps."),
  MLSEC_MODEL_DIRS: text("Folders that `file:` models may come from, separated as in PATH."),
  MLSEC_DEFAULT_MODEL: z.string().default("distilbert").describe("The model that answers when none is named."),
  MLSEC_STORE_TEXT: storeText
    .default("none")
    .describe("Which texts are kept: none so far, only hash and scores. flagged and all wait for encryption at rest."),
  MLSEC_MAX_TEXT_CHARS: whole(1, 10_000_000).default(200_000).describe("Longest text that is judged, in characters."),
  MLSEC_MAX_BODY_BYTES: whole(1_024, 2 ** 31)
    .default(32 * 2 ** 20)
    .describe("Largest JSON body, in bytes. Uploads are streamed and have no limit of their own."),
  MLSEC_REQUEST_TIMEOUT_SECONDS: whole(1, 86_400)
    .default(120)
    .describe("A request that is not answered by then is 504. Event streams and uploads have no limit."),
});
