// What a failure inside the inference worker means to a caller.
import { basename } from "node:path";
import { AppError, type Code } from "@mlsec/contracts";
import type { Failure } from "./protocol.ts";

const meaning: Readonly<Record<string, Code>> = {
  OVERLOADED: "OVERLOADED",
  CANCELLED: "CANCELLED",
  INTEGRITY: "DIGEST_MISMATCH",
  WEIGHTS: "CONFLICT",
  CONFIG: "CONFLICT",
  TOKENIZER: "CONFLICT",
  ENOENT: "OBJECT_NOT_FOUND",
};

export function inferenceError({ code, message, where, expected }: Failure): AppError {
  if (where === "labelMap")
    return new AppError(
      "LABELS_UNMAPPED",
      `${message} with label_map; they are ${expected ?? "named in its config.json"}`,
    );
  const known = Object.hasOwn(meaning, code) ? meaning[code] : undefined;
  if (known === "OBJECT_NOT_FOUND") return new AppError(known, "a file of the model is missing", { message });
  if (known !== undefined)
    return new AppError(
      known,
      where ? `${message} (${basename(where)})` : message,
      known === "OVERLOADED" ? { retryAfterSeconds: 1 } : {},
    );
  return new AppError("INTERNAL", "the inference worker failed", { code, message });
}
