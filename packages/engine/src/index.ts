/** @module Define, train, quantise and serve transformer text classifiers from TypeScript. */
export { EngineError, type EngineErrorCode, type EngineErrorDetails } from "./error.ts";
