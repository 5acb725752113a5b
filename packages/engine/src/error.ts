/** The one error type of the engine. It carries fields, not prose, so that callers can map it to their own codes. */

/** What went wrong, by kind: callers switch on this, never on the message. */
export type EngineErrorCode =
  | "SHAPE" // an operator got inputs whose shapes do not fit
  | "CONFIG" // a configuration value is missing, unknown or out of range
  | "WEIGHTS" // a weight file is missing, damaged or does not fit its configuration
  | "TOKENIZER" // a tokenizer file is missing, damaged or of an unsupported kind
  | "GRAPH" // a graph cannot be built or differentiated
  | "DATA" // rows to train or evaluate on are unusable
  | "DIVERGED" // training produced NaN or an exploding loss
  | "CANCELLED" // the caller aborted
  | "OVERLOADED" // too much work is waiting: try again later
  | "UNREACHABLE" // a hub cannot be reached or refuses, and the cache has no copy
  | "INTEGRITY" // a file does not match its recorded checksum
  | "PARITY"; // a quantised model answers too differently from its original

/** Fields that say where and why; every one is optional and printable. */
export interface EngineErrorDetails {
  readonly op?: string;
  readonly expected?: unknown;
  readonly got?: unknown;
  readonly where?: string;
}

/**
 * An error of the engine.
 * @example
 * throw new EngineError("SHAPE", "MatMul: inner dimensions differ", { op: "MatMul", expected: 4, got: 5 });
 */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;
  readonly details: EngineErrorDetails;
  constructor(code: EngineErrorCode, message: string, details: EngineErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
