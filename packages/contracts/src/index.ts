/** @module Routes as data, error catalogue and the typed client: everything that goes over a wire. */
export * from "./analytics.ts";
export * from "./client.ts";
export * from "./error.ts";
export * from "./fields.ts";
export * from "./findings.ts";
export * from "./health.ts";
export * from "./mlflow.ts";
export * from "./model-api.ts";
export * from "./openapi.ts";
export * from "./red-team.ts";
export * from "./route.ts";
export * from "./services.ts";
export * from "./small-services.ts";
export * from "./training.ts";
