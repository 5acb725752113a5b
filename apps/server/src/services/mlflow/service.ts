// MLflow's REST API over PostgreSQL and the object store: the real MLflow client works against it.
import { type AppError, type Code, mlflow } from "@mlsec/contracts";
import { defineService } from "../../platform/service.ts";
import { answerArtifacts, artifactHandlers } from "./artifacts.ts";
import { registryHandlers } from "./registry/routes.ts";
import { createRegistryStore } from "./registry/store.ts";
import { trackingHandlers } from "./routes.ts";
import { createMlflowStore } from "./store.ts";

/** The REST API that clients ask `/version` about. */
const speaks = "3.4.0";
// MLflow's clients decide by this word, not by the status.
const words: Partial<Record<Code, string>> = {
  NOT_FOUND: "RESOURCE_DOES_NOT_EXIST",
  OBJECT_NOT_FOUND: "RESOURCE_DOES_NOT_EXIST",
  CONFLICT: "RESOURCE_ALREADY_EXISTS",
  ROUTE_NOT_FOUND: "ENDPOINT_NOT_FOUND",
  UNAUTHORIZED: "UNAUTHENTICATED",
  FORBIDDEN: "PERMISSION_DENIED",
  OVERLOADED: "RESOURCE_EXHAUSTED",
  UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
  TIMEOUT: "TEMPORARILY_UNAVAILABLE",
  INTERNAL: "INTERNAL_ERROR",
  CANCELLED: "CANCELLED",
};

/** What MLflow's own error bodies hold. */
export const mlflowError = (error: AppError): { error_code: string; message: string } => ({
  error_code: words[error.code] ?? (error.status < 500 ? "INVALID_PARAMETER_VALUE" : "INTERNAL_ERROR"),
  message: error.message,
});

export const service = defineService({
  name: "mlflow",
  contract: mlflow,
  problem: mlflowError,
  async create({ db, storage, config, clock }) {
    const store = createMlflowStore(db);
    const bucket = config.storage.bucket;
    return {
      handlers: {
        ...trackingHandlers({ store, clock }),
        ...registryHandlers({ store: createRegistryStore(db), clock }),
        ...artifactHandlers({ store, storage, bucket }),
      },
      async ready() {
        await db.query("select 1");
        return { ready: true, checks: { database: { status: "ok" } } };
      },
      async raw(request, context) {
        if (request.method === "GET" && new URL(request.url).pathname === "/version") return new Response(speaks);
        return answerArtifacts(request, context, { storage, bucket });
      },
    };
  },
});
